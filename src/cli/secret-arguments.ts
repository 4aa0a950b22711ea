/** Secrets that were typed as arguments: every user of the machine can read them in the list of processes. */

import { SECRET_SETTINGS, SETTING_VARIABLES } from './api-settings.ts'
import { flagOf } from './option-flags.ts'

/**
 * Takes secrets out of what the system shows of this process, as far as it lets us, and warns: between its start and
 * this call they could be read.
 *
 * @param argv Words after the program's name; left as they are.
 */
export function hideSecretArguments(argv: readonly string[], warn: (message: string) => void): void {
  const typed = SECRET_SETTINGS.filter((setting) => argv.some((word) => isFlag(word, flagOf(setting))))
  if (typed.length === 0) return
  // On Linux and macOS this overwrites the memory that the arguments are read from.
  process.title = 'alida-arrow'
  process.argv.length = 2
  for (const setting of typed) {
    warn(
      `${flagOf(setting)} on the command line can be read by others in the list of processes and stays in the shell's history; set ${SETTING_VARIABLES[setting]} instead`,
    )
  }
}

function isFlag(word: string, flag: string): boolean {
  return word === flag || word.startsWith(`${flag}=`)
}

/** Hides secrets given as arguments, which every user of the machine can see in the list of processes. */

import { SECRET_SETTINGS, SETTING_VARIABLES } from './api-settings.ts'
import { flagOf } from './option-flags.ts'

/**
 * Removes secrets from the process title, as far as the system allows, and warns: between the start and this call they
 * were visible.
 *
 * @param argv Arguments after the program's name; not changed.
 */
export function hideSecretArguments(argv: readonly string[], warn: (message: string) => void): void {
  const typed = SECRET_SETTINGS.filter((setting) => argv.some((word) => isFlag(word, flagOf(setting))))
  if (typed.length === 0) return
  // On Linux and macOS this overwrites the memory from which the system reads the arguments.
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

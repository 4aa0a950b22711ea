/** Rewords commander's usage errors to match all other messages. */

import type { CommanderError } from 'commander'
import { OptionError, quoted } from '../errors.ts'

/** Returns the error to print; undefined if help was printed instead. */
export function usageError(error: CommanderError): OptionError | undefined {
  if (error.code === 'commander.help' || error.message === '(outputHelp)') return undefined
  const [, text = '', nearest] =
    /^(?:error: )?(.*?)(?:\n\(Did you mean (?:one of )?(.*)\?\))?$/s.exec(error.message) ?? []
  const hint = nearest === undefined ? '' : `; did you mean ${nearest.replace(/, ([^,]*)$/, ' or $1')}?`
  return new OptionError('ERR_OPTION', problemOf(error.code, text) + hint)
}

function problemOf(code: string, text: string): string {
  switch (code) {
    case 'commander.unknownOption':
      return text.replace(/^unknown option '([^'=]*).*'$/s, 'unknown option $1')
    case 'commander.unknownCommand':
      return text.replace(/^unknown command '(.*)'$/s, (_, word: string) => `unknown command ${quoted(word)}`)
    case 'commander.missingMandatoryOptionValue':
      return text.replace(/^required option '(.*)' not specified$/, 'expected the option $1, found none')
    case 'commander.missingArgument':
      return text.replace(/^missing required argument '(.*)'$/, 'expected <$1>, found none')
    case 'commander.optionMissingArgument':
      return text.replace(/^option '(.*)' argument missing$/, 'expected a value for $1, found none')
    case 'commander.excessArguments':
      return text.replace(
        /^too many arguments for '(.*)'\. Expected (\d+ arguments?) but got (\d+)\.$/,
        'expected $2 for $1, found $3',
      )
    case 'commander.invalidArgument':
      return invalidArgument(text)
  }
  return text
}

/** Returns a message such as `--batch-size: expected a whole number above 0, found "ten"`. */
function invalidArgument(text: string): string {
  const [, flags = '', found = '', advice = ''] = /^option '(.*?)' argument '(.*)' is invalid\. (.*)$/s.exec(text) ?? []
  if (flags === '') return text
  const flag = /--[\w-]+/.exec(flags)?.[0] ?? flags
  const expected = advice.replace(/^Allowed choices are |^Expected /, '').replace(/\.$/, '')
  return `${flag}: expected ${expected}, found ${quoted(found)}`
}

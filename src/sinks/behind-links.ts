/** Where an output goes whose path is a symbolic link: to what the link names, also when that is not there yet. */

import { readlinkSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Linux follows as many; a circle is found before, by `stat`. */
const MOST_LINKS = 40

/** The path itself where it is no link. */
export function behindLinks(path: string): string {
  let at = path
  for (let links = 0; links < MOST_LINKS; links++) {
    const link = at
    const target = orUndefined(() => readlinkSync(link))
    if (target === undefined) return at
    const folder = dirname(at)
    at = resolve(orUndefined(() => realpathSync(folder)) ?? folder, target)
  }
  return at
}

function orUndefined<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

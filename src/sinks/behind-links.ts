/** Resolves an output path that is a symbolic link to the link's target, which need not exist yet. */

import { readlinkSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** The limit of Linux. A cycle of links never gets here: `stat` has failed before. */
const MAX_LINKS = 40

/** Follows links; returns the path itself if it is not a link. */
export function resolveLinks(path: string): string {
  let at = path
  for (let links = 0; links < MAX_LINKS; links++) {
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

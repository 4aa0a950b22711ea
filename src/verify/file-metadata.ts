/** Compares the metadata of a file with what it must be. */

import type { DifferenceLog } from './difference-log.ts'

/**
 * Compares metadata texts that hold JSON objects, member by member.
 * @param places Metadata of the file, from each place where its format keeps it.
 */
export function compareFileMetadata(
  log: DifferenceLog,
  expected: ReadonlyMap<string, string>,
  places: readonly ReadonlyMap<string, string>[],
): void {
  for (const [key, text] of expected) {
    for (const metadata of places) {
      const found = jsonMembers(metadata.get(key))
      for (const [member, value] of jsonMembers(text)) {
        log.compare({ kind: 'metadata', key: `${key} ${member}` }, value, found.get(member))
      }
    }
  }
}

/**
 * Returns the members of a JSON object as JSON texts; none if it is missing or invalid, so that each member is a
 * difference.
 */
function jsonMembers(text: string | undefined): Map<string, string> {
  try {
    return new Map(Object.entries(JSON.parse(text ?? '{}')).map(([key, value]) => [key, JSON.stringify(value)]))
  } catch {
    return new Map()
  }
}

/** `alida-arrow activities`: lists what can be exported, one activity per line. */

import type { Activity } from '../api/client.ts'
import { OptionError } from '../errors.ts'
import { withApiClient } from './api-connection.ts'
import type { ApiOptions } from './api-settings.ts'
import { counted } from './figures.ts'
import { showWaiting } from './progress.ts'
import { cut, emptyTable } from './text-table.ts'

export interface ActivitiesCommandOptions {
  limit?: number
  filter?: string[]
  sort?: string
  quiet?: boolean
  json?: boolean
}

/** Activities per page. The API allows 1000; small pages suit short lists. */
const PAGE = 100

export async function listActivities(
  api: ApiOptions,
  options: ActivitiesCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const filter = filterOf(options.filter ?? [])
  const isQuiet = options.quiet === true
  await withApiClient(api, isQuiet, async (client) => {
    const maxCount = options.limit ?? Number.POSITIVE_INFINITY
    const found: Activity[] = []
    let count = 0
    const line = await showWaiting(!isQuiet && options.json !== true, () => counted(count, 'activity', 'activities'))
    try {
      const limit = Math.min(maxCount, PAGE)
      for await (const activity of client.activities({ limit, filter, sort: options.sort, signal })) {
        count++
        if (options.json === true) process.stdout.write(`${JSON.stringify(activity)}\n`)
        else found.push(activity)
        if (count >= maxCount) break
      }
    } finally {
      line.stop()
    }
    if (options.json !== true) process.stdout.write(await activityTable(found))
  })
}

/** `status=open` → `{ status: 'open' }` */
function filterOf(words: readonly string[]): Record<string, string> {
  const filter: Record<string, string> = {}
  for (const word of words) {
    const at = word.indexOf('=')
    if (at < 1) throw new OptionError('ERR_OPTION', `expected --filter key=value, such as status=open, found ${word}`)
    filter[word.slice(0, at).trim()] = word.slice(at + 1).trim()
  }
  return filter
}

async function activityTable(activities: readonly Activity[]): Promise<string> {
  if (activities.length === 0) return 'no activities\n'
  const table = await emptyTable(
    ['id', 'name', 'type', 'status', 'created', 'closed'],
    ['left', 'left', 'left', 'left', 'left', 'left'],
  )
  for (const { id, name, activityType, status, createDate, closedOn } of activities) {
    table.push([cut(id), text(name), text(activityType), text(status), text(createDate), text(closedOn)])
  }
  return `${table.toString()}\n`
}

function text(value: unknown): string {
  if (value === undefined || value === null) return ''
  return cut(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Lists activities (surveys, forums …), which are what can be exported. The API answers in linked pages. */

import { ApiError, OptionError } from '../errors.ts'
import type { OptionNames } from '../option-values.ts'
import { OPERATION_OPTION_NAMES, type Operation, type OperationOptions } from './operation.ts'
import { plainUrl } from './redaction.ts'
import { isObject, textMember } from './response.ts'
import type { Session } from './session.ts'

export interface ActivitiesOptions extends OperationOptions {
  /** Activities per page, 1 to 1000. Default 100. */
  limit?: number | undefined
  /** Number of activities to skip. Default 0. */
  offset?: number | undefined
  /** Sort order in the API's notation: `accessedOn:d` is newest first. */
  sort?: string | undefined
  /** Only activities with these values, such as `{ status: 'open' }`. */
  filter?: Readonly<Record<string, string>> | undefined
  /** Members of each activity to request. Default: all. */
  fields?: readonly string[] | undefined
}

export const ACTIVITIES_OPTION_NAMES: OptionNames<ActivitiesOptions> = {
  ...OPERATION_OPTION_NAMES,
  limit: true,
  offset: true,
  sort: true,
  filter: true,
  fields: true,
}

/** One activity as the API sends it, with every member it has. */
export interface Activity {
  /** Empty if the answer has no id, which `fields` can cause. */
  readonly id: string
  readonly name?: unknown
  readonly status?: unknown
  readonly activityType?: unknown
  readonly createDate?: unknown
  readonly closedOn?: unknown
  readonly [key: string]: unknown
}

export interface ActivityPage {
  readonly items: readonly Activity[]
  /** Address of the next page, always on the API's own origin; undefined on the last page. */
  readonly next: URL | undefined
  /** `limit`, `offset`, `count` as the API sends them. */
  readonly meta: Readonly<Record<string, unknown>>
}

const MAX_PAGE_ACTIVITIES = 1000

/** Fetches one page: the first one for `options`, or the one at a `next` address. */
export async function activityPage(
  session: Session,
  operation: Operation,
  place: ActivitiesOptions | URL,
): Promise<ActivityPage> {
  const url = place instanceof URL ? ownPage(session, place) : firstPage(session, place)
  const answer = await session.json(operation, { method: 'GET', url })
  if (!Array.isArray(answer.items)) {
    throw new ApiError('ERR_API_RESPONSE', 'expected a list of activities (items), found something else', {
      url: plainUrl(url),
    })
  }
  return {
    items: answer.items.map((item) => activityOf(item, url)),
    next: nextLink(session, answer.links, url),
    meta: isObject(answer.meta) ? answer.meta : {},
  }
}

/** Yields all activities, fetching page after page. */
export async function* allActivities(
  session: Session,
  operation: Operation,
  options: ActivitiesOptions,
): AsyncGenerator<Activity, void, undefined> {
  const seen = new Set<string>()
  let place: ActivitiesOptions | URL = options
  for (;;) {
    const page: ActivityPage = await activityPage(session, operation, place)
    yield* page.items
    if (page.next === undefined) return
    if (seen.has(page.next.href)) {
      throw new ApiError('ERR_API_RESPONSE', 'the pages of activities go round in a circle', {
        url: plainUrl(page.next),
      })
    }
    seen.add(page.next.href)
    place = page.next
  }
}

function firstPage(session: Session, options: ActivitiesOptions): URL {
  const { limit = 100, offset = 0 } = options
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_ACTIVITIES) {
    throw new OptionError(
      'ERR_OPTION',
      `expected a limit of 1 to ${MAX_PAGE_ACTIVITIES} activities per page, found ${limit}`,
    )
  }
  if (!Number.isInteger(offset) || offset < 0) {
    throw new OptionError('ERR_OPTION', `expected an offset of 0 or more, found ${offset}`)
  }
  const url = session.endpoint.resource('v1', 'activities')
  for (const [name, value] of Object.entries(options.filter ?? {})) url.searchParams.set(name, value)
  url.searchParams.set('limit', String(limit))
  if (offset > 0) url.searchParams.set('offset', String(offset))
  if (options.sort !== undefined) url.searchParams.set('sort', options.sort)
  if (options.fields !== undefined) url.searchParams.set('fields', options.fields.join(','))
  return url
}

function nextLink(session: Session, links: unknown, from: URL): URL | undefined {
  if (!Array.isArray(links)) return undefined
  const next = links.filter(isObject).find((link) => textMember(link, 'rel')?.toLowerCase() === 'next')
  const href = next === undefined ? undefined : textMember(next, 'href')
  return href === undefined ? undefined : ownPage(session, session.endpoint.link(href, from, 'the next page'))
}

/** Throws for a page on another origin, which must not get the credentials. */
function ownPage(session: Session, url: URL): URL {
  if (session.endpoint.owns(url)) return url
  const problem = `expected the next page at ${session.endpoint.origin}, found a link to ${url.origin}; it is not followed`
  throw new ApiError('ERR_API_RESPONSE', problem, { url: plainUrl(url) })
}

function activityOf(item: unknown, url: URL): Activity {
  if (isObject(item)) return { ...item, id: String(item.id ?? '') }
  throw new ApiError('ERR_API_RESPONSE', 'expected an activity, found something that is no object', {
    url: plainUrl(url),
  })
}

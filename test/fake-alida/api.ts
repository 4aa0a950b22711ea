/** The fake API: token, exports, activities. Answers are made of the documented shapes; ids and texts are invented. */

import type { IncomingMessage, ServerResponse } from 'node:http'

export const COMMUNITY = 'panel_demo'
export const CLIENT_ID = 'demo-client'
export const CLIENT_SECRET = 'demo-secret-5f2a'
export const API_KEY = 'demo-api-key-77b1'
export const BATCH_ID = 'b6a1d0de-5c1f-4f0e-9a37-0d9a3f6b7c11'
export const FILE_ID = '3f2c8f5e-8d0b-4a77-b1c6-9f6d2f0c5a42'
export const ACTIVITY_ID = '0a9f1c1e-2f57-4f0a-8a55-7d1e6b3c9d20'

/** Under it are `batch/{batchId}` and `files/{fileId}`. */
export const RESPONSES = `/v2/applications/${COMMUNITY}/data/activities/responses`
export const CREATE = `/v2/applications/${COMMUNITY}/data/activities/${ACTIVITY_ID}/responses/batch`
export const ACTIVITIES = `/v1/applications/${COMMUNITY}/activities`

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}

/** The error body that all of the vendor's APIs share. */
export function errorBody(status: number, message: string): object {
  return { status, message, developerMessage: null, errorId: 'e1f0c1d2-0000-4000-8000-00000000abcd' }
}

export function statusBody(status: string, fileUrl: string | null): Record<string, unknown> {
  return {
    id: BATCH_ID,
    datasetId: ACTIVITY_ID,
    status,
    message: '',
    createDate: '2026-03-01T06:00:00Z',
    createdBy: '8c0b1f6a-1d2e-4b3c-9a4d-5e6f70819203',
    lastUpdateDate: '2026-03-01T06:00:09Z',
    data: fileUrl,
  }
}

export function madeActivities(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `0a9f1c1e-2f57-4f0a-8a55-${String(index).padStart(12, '0')}`,
    name: `Survey ${index + 1}`,
    activityType: index % 3 === 2 ? 'Forum' : 'Survey',
    status: index % 2 === 0 ? 'open' : 'closed',
    createDate: '2026-02-01T09:00:00Z',
  }))
}

/** A page with links as the vendor's collections have them. */
export function activitiesPage(activities: readonly object[], url: URL): object {
  const limit = Number(url.searchParams.get('limit') ?? 20)
  const offset = Number(url.searchParams.get('offset') ?? 0)
  const link = (rel: string, at: number) => {
    const href = new URL(url)
    href.searchParams.set('offset', String(at))
    return { rel, href: href.href }
  }
  const links = [link('first', 0)]
  if (offset + limit < activities.length) links.push(link('next', offset + limit))
  return { items: activities.slice(offset, offset + limit), links, meta: { limit, offset, count: activities.length } }
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

/** A client of the fake whose pauses take no time and are kept in a list. */

import { ExportClient, type ExportClientOptions } from '../../src/api/client.ts'
import type { Clock } from '../../src/api/clock.ts'
import { CLIENT_ID, CLIENT_SECRET, COMMUNITY } from './api.ts'
import type { FakeAlida } from './fake-alida.ts'

export class QuickClock implements Clock {
  /** All pauses so far, in milliseconds. */
  readonly pausesMs: number[] = []
  nowMs = Date.parse('2026-03-01T06:00:00Z')

  now(): number {
    return this.nowMs
  }

  random(): number {
    return 1
  }

  async sleep(delayMs: number): Promise<void> {
    this.pausesMs.push(delayMs)
    this.nowMs += delayMs
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export const GIVEN_TOKEN = 'given-token-0001'

export function clientWithToken(fake: FakeAlida, options: Partial<ExportClientOptions> = {}): ExportClient {
  return new ExportClient({
    baseUrl: fake.apiOrigin,
    community: COMMUNITY,
    token: GIVEN_TOKEN,
    clock: new QuickClock(),
    ...options,
  })
}

export function clientWithSecret(fake: FakeAlida, options: Partial<ExportClientOptions> = {}): ExportClient {
  return clientWithToken(fake, { token: undefined, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, ...options })
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

/** The error a promise is rejected with; fails if it is not. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code: string }> {
  try {
    await promise
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('expected a rejection, found a result')
}

/** JSON of an export of about `records` x 100 bytes, with text that does not pack to nothing. */
export function madeDocument(records: number): Buffer {
  const rows = Array.from({ length: records }, (_, index) => {
    const word = ((index * 2654435761) >>> 0).toString(36)
    return `{"ownerId":"owner-${word}","lastUpdateDate":"2026-03-01T06:00:09Z","fields":[{"id":"f1","values":["${word}}\\"{"]}]}`
  })
  return Buffer.from(`{"id":"x","definition":{"fields":[]},"records":[${rows.join(',')}]}`)
}

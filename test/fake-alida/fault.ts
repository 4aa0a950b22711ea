/** What the fake does wrong on purpose: one entry per request of a route, in order, then all is well again. */

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export type Route = 'token' | 'create' | 'status' | 'file' | 'activities' | 'store'

export type Fault =
  /** Answers with this instead. */
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string | object }
  /** Ends the connection before any answer. */
  | { kind: 'reset' }
  /** Takes the request and never answers. */
  | { kind: 'silence' }
  /** Destroys the connection after so many bytes of the body. */
  | { kind: 'cut'; afterBytes: number }
  /** Ends the body after so many bytes as if it were whole (for bodies whose end only the closing tells). */
  | { kind: 'short'; afterBytes: number }
  /** Sends so many bytes of the body and then nothing. */
  | { kind: 'stall'; afterBytes: number }
  /** Sends pieces of this size with pauses between them. */
  | { kind: 'slow'; pieceBytes: number; pauseMs: number }
  /** Sends no more than this: a line of that speed. */
  | { kind: 'paced'; bytesPerSecond: number }
  /** Nothing wrong: keeps the place of a request that should work. */
  | { kind: 'none' }

export const NONE: Fault = { kind: 'none' }

/** Plays the faults that need no body; returns whether the request is dealt with. */
export function playFault(fault: Fault, request: IncomingMessage, response: ServerResponse): boolean {
  if (fault.kind === 'silence') return true
  if (fault.kind === 'reset') {
    request.socket.destroy()
    return true
  }
  if (fault.kind !== 'answer') return false
  const body = typeof fault.body === 'object' ? JSON.stringify(fault.body) : (fault.body ?? '')
  const type = typeof fault.body === 'object' ? { 'content-type': 'application/json' } : {}
  response.writeHead(fault.status, { ...type, 'content-length': Buffer.byteLength(body), ...fault.headers })
  response.end(body)
  return true
}

/** Writes a body the way `fault` wants it. */
export async function writeBody(response: ServerResponse, body: Buffer, fault: Fault): Promise<void> {
  switch (fault.kind) {
    case 'cut':
      response.write(body.subarray(0, fault.afterBytes), () => setTimeout(() => response.destroy(), 5))
      return
    case 'stall':
      response.write(body.subarray(0, fault.afterBytes))
      return
    case 'short':
      response.end(body.subarray(0, fault.afterBytes))
      return
    case 'slow':
      for (let place = 0; place < body.length && !response.destroyed; place += fault.pieceBytes) {
        response.write(body.subarray(place, place + fault.pieceBytes))
        await sleep(fault.pauseMs)
      }
      response.end()
      return
    case 'paced':
      return writePaced(response, body, fault.bytesPerSecond)
    default:
      response.end(body)
  }
}

const PACED_PIECE_BYTES = 256 * 1024

async function writePaced(response: ServerResponse, body: Buffer, bytesPerSecond: number): Promise<void> {
  const startMs = performance.now()
  for (let place = 0; place < body.length && !response.destroyed; place += PACED_PIECE_BYTES) {
    const dueMs = startMs + (place / bytesPerSecond) * 1000
    const earlyMs = dueMs - performance.now()
    if (earlyMs > 1) await sleep(earlyMs)
    if (!response.write(body.subarray(place, place + PACED_PIECE_BYTES))) await once(response, 'drain')
  }
  response.end()
}

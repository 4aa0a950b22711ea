/**
 * Keeps undici 7 from ending the process: when a server closes the connection at the end of a body whose reader is slow,
 * its parser can be at rest just then, and it throws where nobody can catch (fixed in undici 8, which needs Node 22).
 */

import type { Socket } from 'node:net'

const LOOK_AGAIN_MS = 5

/** The end of the stream is told to the socket only when undici's parser has taken all that came before, and is awake. */
export function holdEnd(socket: Socket): Socket {
  const push = socket.push
  socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk !== null) return push.call(socket, chunk, encoding)
    tellEnd()
    return false
  }
  const tellEnd = () => {
    if (!socket.destroyed && (socket.readableLength > 0 || isParserAtRest(socket))) {
      setTimeout(tellEnd, LOOK_AGAIN_MS)
      return
    }
    push.call(socket, null)
    socket.read(0)
  }
  return socket
}

/** False, too, should another version of undici keep its parser elsewhere. */
function isParserAtRest(socket: Socket): boolean {
  for (const key of Object.getOwnPropertySymbols(socket)) {
    const value: unknown = Reflect.get(socket, key)
    if (typeof value === 'object' && value !== null && 'paused' in value && 'finish' in value)
      return value.paused === true
  }
  return false
}

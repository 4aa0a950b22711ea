/**
 * Keeps undici 7 from ending the process. When a server closes the connection at the end of a body whose reader is
 * slow, undici's parser may be paused, and it throws where the error cannot be caught. Fixed in undici 8, which needs
 * Node 22.
 */

import type { Socket } from 'node:net'

const LOOK_AGAIN_MS = 5

/** Delays a socket's end of stream until undici's parser has consumed everything before it and is not paused. */
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

/** Whether undici's parser is paused. Also false if another version of undici keeps its parser elsewhere. */
function isParserAtRest(socket: Socket): boolean {
  for (const key of Object.getOwnPropertySymbols(socket)) {
    const value: unknown = Reflect.get(socket, key)
    if (typeof value === 'object' && value !== null && 'paused' in value && 'finish' in value)
      return value.paused === true
  }
  return false
}

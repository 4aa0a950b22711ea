import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Connection } from '../src/api/connection.ts'

let server: Server
const connection = new Connection({})
afterEach(async () => {
  await connection.close()
  server.close()
})

/** A server that sends one answer and closes at once, as many proxies do. */
async function closingServer(head: string, body: Buffer): Promise<URL> {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n${head}\r\n`)
      socket.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

describe('the end of a connection whose answer is read slowly', () => {
  it.each([16, 64, 65, 300, 2000])('is told behind the whole body (%i KiB)', async (kilobytes) => {
    const body = Buffer.alloc(kilobytes * 1024, 'abcdefg')
    for (const head of [`Content-Length: ${body.length}\r\n`, '']) {
      const url = await closingServer(head, body)
      const response = await connection.send({ method: 'GET', url, headers: {} }, new AbortController().signal)
      await sleep(50)
      const pieces: Buffer[] = []
      for await (const piece of response.body) {
        pieces.push(piece as Buffer)
        if (pieces.length < 5) await sleep(10)
      }
      expect(Buffer.concat(pieces).equals(body)).toBe(true)
      server.close()
    }
  })
})

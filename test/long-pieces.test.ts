import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coalesceChunks } from '../src/input/long-pieces.ts'
import { BufferPool } from '../src/input/receive-memory.ts'

const PIECE_BYTES = 64
const ignore = () => undefined

/** Every byte tells its place, as far as a byte can. */
const bytesOf = (byteLength: number) => Buffer.from(Array.from({ length: byteLength }, (_, i) => (i * 7) % 251))

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (lengths[i % lengths.length] ?? 1)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

describe('a stream in long pieces', () => {
  it.each<[string, (stream: PassThrough) => void]>([
    ['waits', ignore],
    ['is paused', (stream) => stream.pause()],
    ['flows', (stream) => stream.resume()],
    ['has a listener for what is readable', (stream) => stream.on('readable', ignore)],
    ['was looked at', (stream) => stream.unshift(stream.read())],
  ])('is read to its end when it %s before', async (_, prepare) => {
    const bytes = bytesOf(5000)
    const stream = new PassThrough()
    const chunks = cut(bytes, [700])
    stream.write(chunks[0])
    prepare(stream)
    for (const chunk of chunks.slice(1)) stream.write(chunk)
    setTimeout(() => stream.end(), 20)
    const parts: Buffer[] = []
    for await (const piece of coalesceChunks(stream, new BufferPool(PIECE_BYTES, ignore)))
      parts.push(Buffer.from(piece))
    expect(Buffer.concat(parts).equals(bytes)).toBe(true)
  })

  it('has all bytes in order, however it comes, also where its memory is used again', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 3 * PIECE_BYTES }), { minLength: 1, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 3000 }), lengths, fc.boolean(), async (byteLength, lengths, isReused) => {
        const bytes = bytesOf(byteLength)
        const memory = new BufferPool(PIECE_BYTES, ignore)
        // Chunks are overwritten once they are said to be copied.
        const body = Readable.from(cut(bytes, lengths).map((chunk) => Buffer.from(chunk)))
        const parts: Buffer[] = []
        for await (const piece of coalesceChunks(body, memory, (chunk) => chunk.fill(0))) {
          expect(piece.length).toBeLessThanOrEqual(PIECE_BYTES)
          parts.push(Buffer.from(piece))
          if (isReused) memory.releaseBefore(piece)
        }
        expect(Buffer.concat(parts).equals(bytes)).toBe(true)
      }),
    )
  })

  it('is taken in long pieces', async () => {
    const sizes: number[] = []
    const body = Readable.from(cut(bytesOf(1000), [9]))
    for await (const piece of coalesceChunks(body, new BufferPool(PIECE_BYTES, ignore), ignore))
      sizes.push(piece.length)
    expect(sizes).toEqual([...Array(15).fill(PIECE_BYTES), 1000 - 15 * PIECE_BYTES])
  })

  it('gives what it has while it stalls', async () => {
    const body = new PassThrough()
    body.write(bytesOf(10))
    const pieces = coalesceChunks(body, new BufferPool(PIECE_BYTES, ignore), ignore)
    expect((await pieces.next()).value).toEqual(bytesOf(10))
    body.end(Buffer.from('end'))
    expect((await pieces.next()).value).toEqual(Buffer.from('end'))
    expect((await pieces.next()).done).toBe(true)
  })

  it('gives what came before a failure, then the failure', async () => {
    const failure = new Error('reset')
    const body = new PassThrough()
    body.write(bytesOf(100))
    const pieces = coalesceChunks(body, new BufferPool(PIECE_BYTES, ignore), ignore)
    expect((await pieces.next()).value).toEqual(bytesOf(100).subarray(0, PIECE_BYTES))
    body.destroy(failure)
    expect((await pieces.next()).value).toEqual(bytesOf(100).subarray(PIECE_BYTES))
    await expect(pieces.next()).rejects.toBe(failure)
  })

  it('takes texts and refuses what has no bytes', async () => {
    const of = (...chunks: unknown[]) =>
      coalesceChunks(Readable.from(chunks, { objectMode: true }), new BufferPool(PIECE_BYTES, ignore), ignore)
    expect((await of('é', new ArrayBuffer(1)).next()).value).toEqual(Buffer.from('é\0'))
    await expect(of(5).next()).rejects.toThrow(TypeError)
  })

  it('that was cut before anyone listened is a failure', async () => {
    const body = new PassThrough()
    body.on('error', ignore)
    body.destroy(new Error('reset'))
    await sleep(5)
    await expect(coalesceChunks(body, new BufferPool(PIECE_BYTES, ignore), ignore).next()).rejects.toThrow('reset')
  })

  it('is not read on while nobody takes it, and ended when it is left', async () => {
    let sent = 0
    const body = Readable.from(
      (function* () {
        for (;;) {
          sent += PIECE_BYTES
          yield bytesOf(PIECE_BYTES)
        }
      })(),
    )
    const pieces = coalesceChunks(body, new BufferPool(PIECE_BYTES, ignore), ignore)
    await pieces.next()
    await sleep(20)
    expect(sent).toBeLessThan(40 * PIECE_BYTES)
    await pieces.return()
    expect(body.destroyed).toBe(true)
  })
})

describe('memory to receive in', () => {
  it('is never handed out while it is held', () => {
    const steps = fc.array(fc.oneof(fc.constant('next' as const), fc.nat({ max: 5 })))
    fc.assert(
      fc.property(steps, (steps) => {
        const all: ArrayBufferLike[] = []
        const memory = new BufferPool(8, (piece) => all.push(piece))
        let held: Buffer[] = []
        for (const step of steps) {
          if (step === 'next') {
            const piece = memory.next()
            expect(held.every((other) => other.buffer !== piece.buffer)).toBe(true)
            held.push(piece)
          } else if (step < held.length) {
            memory.releaseBefore(held[step]!.subarray(1, 2))
            held = held.slice(step)
          }
        }
        expect(held.every((piece) => all.includes(piece.buffer))).toBe(true)
      }),
    )
  })

  it('lets other bytes be', () => {
    const memory = new BufferPool(8, ignore)
    const [first, second] = [memory.next(), memory.next()]
    memory.releaseBefore(Buffer.alloc(8))
    expect([first.buffer, second.buffer]).not.toContain(memory.next().buffer)
  })

  it('that is never released does not stay', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const made: WeakRef<object>[] = []
    const memory = new BufferPool(1024, (piece) => made.push(new WeakRef(piece)))
    for (let i = 0; i < 1000; i++) memory.next()
    // References that were just made or looked at live until the next task.
    await sleep(1)
    collectGarbage()
    expect(made.filter((piece) => piece.deref() !== undefined).length).toBeLessThan(20)
    expect(memory.next()).toHaveLength(1024)
  })

  it('is used again', () => {
    const made: ArrayBufferLike[] = []
    const memory = new BufferPool(8, (piece) => made.push(piece))
    for (let i = 0; i < 100; i++) memory.releaseBefore(memory.next())
    expect(made.length).toBeLessThan(4)
  })
})

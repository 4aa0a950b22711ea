import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { surveyJson } from './survey.ts'

// What is spawned gets sockets for its standard streams: only a shell makes pipes.
const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-pipes-'))
const shell = (script: string) => run('sh', ['-c', script], { cwd: folder, env: { ...process.env, BIN } })

/** Longer than all memory that a pipe is read into. */
const RECORDS = 20_000

beforeAll(async () => {
  const document = surveyJson(RECORDS)
  writeFileSync(join(folder, 'export.json'), document)
  writeFileSync(join(folder, 'export.json.gz'), gzipSync(document, { level: 1 }))
  await shell('node "$BIN" convert -q export.json -o file.arrows')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  test.each([
    ['plain, on one thread', 'cat export.json', '--threads 1'],
    ['plain, on two', 'cat export.json', '--threads 2'],
    ['in short pieces', 'dd if=export.json bs=1013 2>/dev/null', ''],
    ['gzipped', 'cat export.json.gz', ''],
  ])('gives what the file gives: %s', async (_, from, options) => {
    await shell(`${from} | node "$BIN" convert -q - ${options} -o pipe.parquet`)
    await shell(`node "$BIN" verify -q export.json pipe.parquet`)
    await shell(`${from} | node "$BIN" convert -q - ${options} -o pipe.arrows`)
    expect(readFileSync(join(folder, 'pipe.arrows')).equals(readFileSync(join(folder, 'file.arrows')))).toBe(true)
  })

  test('that ends too early is an error, and leaves nothing', async () => {
    const before = readdirSync(folder)
    const cut = shell('head -c 3000000 export.json | node "$BIN" convert -q - -o cut.parquet')
    await expect(cut).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^alida-arrow: .*end.*byte/) })
    expect(readdirSync(folder)).toEqual(before)
  })

  test('that nobody writes into is given up at a signal', async () => {
    const { stdout } = await shell(
      'mkfifo silent; exec 3<>silent; node "$BIN" convert -q - -o silent.parquet <silent & sleep 1; kill -TERM $!; wait $!; echo $?',
    )
    expect(stdout).toBe('143\n')
    expect(readdirSync(folder)).not.toContain('silent.parquet')
  })

  test('that is closed is an empty input', async () => {
    const closed = shell('node "$BIN" convert -q - -o closed.parquet <&-')
    await expect(closed).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('empty') })
  })
})

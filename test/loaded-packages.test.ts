import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { BIN, runCli } from './cli.ts'
import { surveyJson } from './survey.ts'

/** Which packages are loaded, from where they are installed: loading takes longer than converting a small export. */

const folder = mkdtempSync(join(tmpdir(), 'alida-arrow-loaded-'))
const source = join(folder, 'export.json')
writeFileSync(source, surveyJson(20))
afterAll(() => rmSync(folder, { recursive: true }))

const LOG = join(folder, 'loaded.txt')
/** Notes each module that is imported; it runs in a thread of its own. */
const HOOKS = `
import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  appendFileSync(${JSON.stringify(LOG)}, url + '\\n')
  return next(url, context)
}`
const dataUrl = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`
const NODE_ARGS = [
  '--import',
  dataUrl(`import { register } from 'node:module'; register(${JSON.stringify(dataUrl(HOOKS))})`),
]

/** Names of the packages that were imported meanwhile. */
async function loadedBy(run: () => unknown): Promise<Set<string>> {
  writeFileSync(LOG, '')
  await run()
  const urls = readFileSync(LOG, 'utf8')
  expect(urls).toContain('/dist/')
  return new Set([...urls.matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/\n]+)\//g)].map(([, name = '']) => name))
}

function byCommand(...args: string[]): Promise<Set<string>> {
  return loadedBy(async () => {
    const { code, stderr } = await runCli(args, { nodeArgs: NODE_ARGS })
    expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
  })
}

function byLibrary(options: object): Promise<Set<string>> {
  const index = fileURLToPath(new URL('index.js', `file://${BIN}`))
  const [from, to, more] = [source, join(folder, 'library.parquet'), options].map((value) => JSON.stringify(value))
  const code = `import { convertExport } from ${JSON.stringify(index)}; await convertExport(${from}, ${to}, ${more})`
  return loadedBy(() => execFileSync(process.execPath, [...NODE_ARGS, '--input-type=module', '-e', code]))
}

describe('what converting loads', () => {
  const convert = ['convert', source, '-o', join(folder, 'out.parquet'), '-q']

  test('is nothing but the command itself', async () => {
    expect([...(await byCommand(...convert))]).toEqual([])
    expect([...(await byCommand(...convert, '--layout', 'long', '--names', 'id', '--threads', '1'))]).toEqual([])
  })

  test('is the transliteration where names are to be in snake case', async () => {
    expect([...(await byCommand(...convert, '--names', 'snake'))]).toEqual(['any-ascii'])
  })

  test('is the same for the library', async () => {
    expect(await byLibrary({})).not.toContain('any-ascii')
    expect(await byLibrary({ names: 'snake' })).toContain('any-ascii')
  })
})

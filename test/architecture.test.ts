/** Data flows one way: a file imports only from its own layer and from those above it in this list. */

import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SRC = fileURLToPath(new URL('../src/', import.meta.url))

/** Files and folders of `src/`, the ones that know least first. */
const LAYERS = [
  'wording.ts',
  'errors.ts',
  'nearest-words.ts',
  'option-values.ts',
  'progress-reports.ts',
  'system/',
  'version.ts',
  'package-file.ts',
  'limits.ts',
  'json/',
  'warnings.ts',
  'definition.ts',
  'plan/',
  'input/',
  'columns/',
  'decode/',
  'shape/',
  'sinks/',
  'reader.ts',
  'parallel/',
  'convert/',
  'read-back/',
  'verify/',
  'verify-export.ts',
  'api/',
  'codebook/',
  'star/',
  'cli/',
  'index.ts',
  'bin.ts',
]

/** What may be imported from outside, and where. Everything else is Node's. */
const PACKAGES: Record<string, string[]> = {
  'any-ascii': ['plan/'],
  'apache-arrow': [
    'plan/',
    'columns/',
    'decode/',
    'shape/',
    'sinks/',
    'reader.ts',
    'parallel/',
    'read-back/',
    'verify/',
    'codebook/',
    'star/',
  ],
  'cli-progress': ['cli/'],
  'cli-table3': ['cli/'],
  commander: ['cli/'],
  'csv-stringify': ['codebook/'],
  'fastest-levenshtein': ['nearest-words.ts'],
  htmlparser2: ['plan/'],
  matcher: ['plan/'],
  'parquet-wasm': ['sinks/', 'read-back/'],
  picocolors: ['cli/'],
  'stream-chain': ['verify/'],
  'stream-json': ['verify/'],
  undici: ['api/', 'cli/api-connection.ts'],
}

const IMPORTS = [/^(?:import|export)\b[^;'"=(]*? from '([^']+)'/gm, /^import '([^']+)'/gm, /\bimport\('([^']+)'\)/g]

/** What a file of `src/` imports, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(SRC + file, 'utf8')
  return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name))
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  // AssemblyScript names no endings; a kernel imports nothing but itself.
  .filter((file) => file.endsWith('.ts') && !file.includes('/assembly/'))
  .sort()
const imports = new Map(files.map((file) => [file, importsOf(file)]))
const localImports = new Map(
  [...imports].map(([file, specifiers]) => [
    file,
    specifiers.filter((name) => name.startsWith('.')).map((name) => posix.join(dirname(file), name)),
  ]),
)

function layerOf(file: string): number {
  const exact = LAYERS.indexOf(file)
  return exact >= 0 ? exact : LAYERS.findIndex((layer) => layer.endsWith('/') && file.startsWith(layer))
}

test('every file has a layer, and all of its imports are found', () => {
  expect(files.filter((file) => layerOf(file) < 0)).toEqual([])
  for (const [file, targets] of localImports) {
    for (const target of targets) expect(files, `${file} imports ${target}`).toContain(target)
  }
  const statements = files.flatMap((file) => readFileSync(SRC + file, 'utf8').match(/^(import |} from ')/gm) ?? [])
  expect([...imports.values()].flat().length).toBeGreaterThan(statements.length / 2)
})

test('ARCHITECTURE.md lists the layers in their order', () => {
  const page = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8')
  const table = page.slice(0, page.indexOf('\n## '))
  expect([...table.matchAll(/^\| `([^`]+)` /gm)].map(([, name]) => name)).toEqual(LAYERS)
})

test('imports point to the same layer or to one above', () => {
  const wrong = [...localImports].flatMap(([file, targets]) =>
    targets.filter((target) => layerOf(target) > layerOf(file)).map((target) => `${file} → ${target}`),
  )
  expect(wrong).toEqual([])
})

test('no file imports itself by way of others', () => {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (path.includes(file) || done.has(file)) return
    for (const target of localImports.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  expect(cycles).toEqual([])
})

test('packages are imported where they belong', () => {
  const wrong = [...imports].flatMap(([file, specifiers]) =>
    specifiers
      .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
      .filter((name) => {
        const places = PACKAGES[name.split('/')[0] ?? ''] ?? []
        return !places.some((place) => file === place || (place.endsWith('/') && file.startsWith(place)))
      })
      .map((name) => `${file} → ${name}`),
  )
  expect(wrong).toEqual([])
  expect(Object.keys(PACKAGES).filter((name) => builtinModules.includes(name))).toEqual([])
})

test('the reference reader shares no decoding code with the main one', () => {
  const main = ['json/', 'columns/', 'decode/', 'parallel/', 'reader.ts', 'input/source.ts', 'input/window.ts']
  const shared = [...localImports].flatMap(([file, targets]) =>
    file.startsWith('verify/')
      ? targets
          .filter((target) => main.some((layer) => target.startsWith(layer)))
          .map((target) => `${file} → ${target}`)
      : [],
  )
  expect(shared).toEqual([])
})

test('the core does no input and output', () => {
  const pure = ['json/', 'columns/', 'decode/', 'shape/', 'plan/', 'definition.ts']
  const wrong = [...imports].flatMap(([file, specifiers]) =>
    pure.some((layer) => file.startsWith(layer))
      ? specifiers
          .filter((name) => /^node:(fs|net|http|stream|child_process|worker)/.test(name))
          .map((name) => `${file} → ${name}`)
      : [],
  )
  expect(wrong).toEqual([])
})

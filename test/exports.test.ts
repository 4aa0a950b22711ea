/** What a file of `src/` exports, another file imports. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** Its exports are the package's. */
const ENTRY_POINT = 'src/index.ts'

const EXPORT = /^export (?:async )?(?:function\*?|class|const|let|interface|type) (\w+)/gm
const IMPORT = /^(?:import|export)(?: type)? (?:\{([^}]*)\}|\*(?: as \w+)?) from '(\.[^']+)'/gm
const IMPORT_CALL = /\bimport\('(\.[^']+)'\)/g

const texts = new Map(
  ['src', 'test', 'bench', 'fixtures', 'scripts']
    .flatMap((folder) =>
      readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' }).map((file) => posix.join(folder, file)),
    )
    .filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('/assembly/'))
    .map((file) => [file, readFileSync(ROOT + file, 'utf8')]),
)

/** `file#name` for each import; a file that is imported as a whole gives all of its importer's words. */
const imported = new Set([...texts].flatMap(([file, text]) => importsOf(file, text)))

function importsOf(file: string, text: string): string[] {
  const pathOf = (specifier: string) => posix.join(dirname(file), specifier).replace(/^dist\/(.*)\.js$/, 'src/$1.ts')
  const words = new Set(text.match(/\w+/g))
  const wholes = [...text.matchAll(IMPORT_CALL)].map(([, specifier = '']) => pathOf(specifier))
  const names: string[] = []
  for (const [, list, specifier = ''] of text.matchAll(IMPORT)) {
    const target = pathOf(specifier)
    if (list === undefined) wholes.push(target)
    else for (const name of list.matchAll(/(?:type )?(\w+)(?: as \w+)?/g)) names.push(`${target}#${name[1]}`)
  }
  if (file === ENTRY_POINT) for (const whole of wholes) names.push(...exportsOf(whole))
  return [...names, ...wholes.flatMap((whole) => [...words].map((word) => `${whole}#${word}`))]
}

function exportsOf(file: string): string[] {
  return [...(texts.get(file) ?? '').matchAll(EXPORT)].map(([, name]) => `${file}#${name}`)
}

test('nothing is exported that no other file imports', () => {
  const exported = [...texts.keys()]
    .filter((file) => file.startsWith('src/') && file !== ENTRY_POINT)
    .flatMap(exportsOf)
  expect(exported.length).toBeGreaterThan(400)
  expect(exported.filter((name) => !imported.has(name))).toEqual([])
})

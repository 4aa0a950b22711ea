import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GUID_BYTES, IdTable } from '../src/json/id-table.ts'

function viewOf(text: string): DataView {
  const bytes = new Uint8Array(text.length + 8)
  bytes.set(new TextEncoder().encode(text))
  return new DataView(bytes.buffer)
}

const guids = (count: number) =>
  Array.from({ length: count }, (_, i) => `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`)

describe('IdTable', () => {
  test('an empty table holds nothing, and says so', () => {
    const table = new IdTable()
    expect(table.size).toBe(0)
    expect(table.find(viewOf('"96e19dba-addb-48ed-bd28-8f01cb2994e4"'), 0)).toBe(-1)
    expect(table.findText('96e19dba-addb-48ed-bd28-8f01cb2994e4')).toBe(-1)
  })

  test('finds every id by its bytes and by its text, whatever its form, while it grows', () => {
    const id = fc.oneof(fc.uuid(), fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat().map(String))
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 60 }), fc.uniqueArray(id), (ids, others) => {
        const table = new IdTable(ids.slice(0, 3))
        for (const [i, added] of ids.slice(3).entries()) expect(table.add(added)).toBe(Math.min(3, ids.length) + i)
        for (const [i, known] of ids.entries()) {
          expect(table.findText(known)).toBe(i)
          if (known.length === GUID_BYTES) expect(table.find(viewOf(` "${known}"`), 1)).toBe(i)
        }
        for (const other of others.filter((text) => !ids.includes(text))) expect(table.findText(other)).toBe(-1)
      }),
    )
  })

  test('finds 20,000 ids made in sequence, and none that are not there', () => {
    const ids = guids(20_000)
    const table = new IdTable(ids)
    const found = ids.map((id) => table.find(viewOf(`"${id}"`), 0))
    expect(found).toEqual(ids.map((_, i) => i))
    expect(table.find(viewOf('"00000000-0000-4000-8000-ffffffffffff"'), 0)).toBe(-1)
  })

  test('a GUID is the same in any case, an exact match comes first', () => {
    const lower = 'abcdef00-0000-4000-8000-00000000000a'
    const table = new IdTable([lower, lower.toUpperCase(), 'Abc'])
    expect(table.findText(lower)).toBe(0)
    expect(table.findText(lower.toUpperCase())).toBe(1)
    expect(table.findText('ABCDEF00-0000-4000-8000-00000000000a')).toBe(0)
    expect(table.findText('abc')).toBe(-1)
  })
})

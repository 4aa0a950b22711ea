/** Checks that a batch has the columns of the file. */

import { DataType, type Field, type RecordBatch, type Schema, util } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'

/**
 * Compares names, types and nullability with the file's schema; metadata and the ids of dictionaries may differ.
 * @throws ExportError `ERR_PARQUET` that names the first column that differs.
 */
export function checkBatch({ schema }: RecordBatch, expected: Schema): void {
  if (schema === expected) return
  const columnCount = Math.max(schema.fields.length, expected.fields.length)
  for (let i = 0; i < columnCount; i++) {
    const wanted = expected.fields[i]
    const found = schema.fields[i]
    if (wanted !== undefined && found !== undefined && isSameField(wanted, found)) continue
    const column = `column ${i + 1} of a batch to be ${fieldText(wanted)}`
    throw new ExportError('ERR_PARQUET', `expected ${column}, found ${fieldText(found)}`)
  }
}

function fieldText(field: Field | undefined): string {
  if (field === undefined) return 'missing'
  return `${quoted(field.name)} of type ${field.type}${field.nullable ? '' : ', not nullable'}`
}

function isSameField(a: Field, b: Field): boolean {
  return a.name === b.name && a.nullable === b.nullable && isSameType(a.type, b.type)
}

function isSameType(a: DataType, b: DataType): boolean {
  if (a === b) return true
  if (DataType.isDictionary(a) && DataType.isDictionary(b)) {
    return a.isOrdered === b.isOrdered && isSameType(a.indices, b.indices) && isSameType(a.dictionary, b.dictionary)
  }
  if (a.typeId !== b.typeId) return false
  if (!DataType.isStruct(a) && !DataType.isList(a)) return util.compareTypes(a, b)
  const members: readonly Field[] = b.children ?? []
  return a.children.length === members.length && a.children.every((field, i) => isSameField(field, members[i]!))
}

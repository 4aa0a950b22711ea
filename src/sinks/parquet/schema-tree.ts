/** Converts an Arrow schema to the tree in Parquet's footer and its leaves, each of which is one column of the file. */

import { DataType, type Dictionary, type Field, Precision, type Schema, TimeUnit } from 'apache-arrow'
import { ExportError, quoted } from '../../errors.ts'
import { CONVERTED, type LogicalType, PHYSICAL, REPETITION, type SchemaElement } from './format.ts'

/** A column of the file, which is a leaf of the schema. */
export interface Leaf {
  /** Names from the root down, those of list groups included. */
  path: readonly string[]
  /** The path with Arrow's names of list elements, which parquet-wasm keeps. */
  arrowPath: readonly string[]
  physicalType: number
  /** Definition level of a value that is not null; 0 if neither it nor anything above it can be null or empty. */
  maxDefinition: number
  maxRepetition: number
  /** How to reach the dictionary indices in a batch. */
  dictionary?: DictionaryPath
  /**
   * Column number, if it holds texts or 64-bit numbers. Leaves with neither this nor `dictionary` go to parquet-wasm.
   */
  valueColumn?: number
}

/** Any number of structs, then at most one list, then `dictionary<utf8>`. */
export interface DictionaryPath {
  /** Child numbers: the column in its batch, then the members of structs. */
  childNumbers: readonly number[]
  /** Whether each struct on the path is nullable. */
  structNullable: readonly boolean[]
  /** Missing if the values are not in a list. */
  listNullable?: boolean
  valueNullable: boolean
}

/** Name of list elements in the format, independent of Arrow's name; some readers rely on it. */
const LIST_ELEMENT = 'element'

export interface SchemaTree {
  elements: readonly SchemaElement[]
  leaves: readonly Leaf[]
}

/**
 * Returns names, types and nesting as Parquet stores them.
 * @throws ExportError `ERR_PARQUET` for a type that Parquet does not have, and for columns of the same name.
 */
export function schemaTree(schema: Schema): SchemaTree {
  const tree = new TreeWalk()
  tree.elements.push({ name: 'schema', childCount: schema.fields.length })
  checkNames(schema.fields)
  for (const [i, field] of schema.fields.entries()) {
    tree.walk(field, { path: [], arrowPath: [], childNumbers: [i], structNullable: [], definition: 0, repetition: 0 })
  }
  return tree
}

/** Whether a top-level column of this type is encoded by `encodeValueChunk`. */
export function isValueColumn(type: DataType): boolean {
  if (DataType.isUtf8(type) || (DataType.isFloat(type) && type.precision === Precision.DOUBLE)) return true
  return DataType.isTimestamp(type) || (DataType.isInt(type) && type.isSigned && type.bitWidth === 64)
}

/** Whether a column of this type is encoded by `encodeDictionaryChunk`. */
export function isDictionaryColumn(type: DataType): boolean {
  if (DataType.isList(type)) return isTextDictionary(type.children[0]!.type)
  return isTextDictionary(type)
}

function isTextDictionary(type: DataType): type is Dictionary {
  return DataType.isDictionary(type) && DataType.isUtf8(type.dictionary) && type.indices.bitWidth <= 32
}

/** The path from the root to a node. */
interface Above {
  path: readonly string[]
  arrowPath: readonly string[]
  /** Missing inside columns that parquet-wasm encodes. */
  childNumbers?: readonly number[]
  structNullable: readonly boolean[]
  definition: number
  repetition: number
}

class TreeWalk implements SchemaTree {
  readonly elements: SchemaElement[] = []
  readonly leaves: Leaf[] = []

  walk(field: Field, above: Above, name: string = field.name): void {
    const { type } = field
    const path = [...above.path, name]
    const arrowPath = [...above.arrowPath, field.name]
    const repetition = field.nullable ? REPETITION.optional : REPETITION.required
    const here = { ...above, path, arrowPath, definition: above.definition + Number(field.nullable) }
    if (DataType.isStruct(type)) this.#walkStruct(field, here)
    else if (DataType.isList(type)) this.#walkList(field, here)
    else {
      const value = primitiveElement(DataType.isDictionary(type) ? type.dictionary : type, path)
      this.elements.push({ name, repetition, ...value })
      this.#addLeaf(value.physicalType, here, dictionaryPath(field, above))
      const column = above.path.length === 0 ? above.childNumbers?.[0] : undefined
      if (column !== undefined && isValueColumn(type)) this.leaves.at(-1)!.valueColumn = column
    }
  }

  #walkStruct(field: Field, here: Above): void {
    const members: Field[] = field.type.children
    if (members.length === 0) throw unsupportedError(field.type, here.path)
    checkNames(members, here.path)
    const repetition = field.nullable ? REPETITION.optional : REPETITION.required
    this.elements.push({ name: here.path.at(-1)!, repetition, childCount: members.length })
    const structNullable = [...here.structNullable, field.nullable]
    for (const [i, member] of members.entries()) {
      const childNumbers = here.childNumbers === undefined ? {} : { childNumbers: [...here.childNumbers, i] }
      this.walk(member, { ...here, structNullable, ...childNumbers })
    }
  }

  #walkList(field: Field, here: Above): void {
    const item: Field = field.type.children[0]
    this.elements.push(
      {
        name: here.path.at(-1)!,
        repetition: field.nullable ? REPETITION.optional : REPETITION.required,
        childCount: 1,
        convertedType: CONVERTED.list,
        logicalType: { kind: 'list' },
      },
      { name: 'list', repetition: REPETITION.repeated, childCount: 1 },
    )
    const inside: Above = {
      path: [...here.path, 'list'],
      arrowPath: [...here.arrowPath, 'list'],
      structNullable: here.structNullable,
      definition: here.definition + 1,
      repetition: here.repetition + 1,
    }
    if (!isTextDictionary(item.type) || here.childNumbers === undefined) {
      this.walk(item, inside, LIST_ELEMENT)
      return
    }
    const path = [...inside.path, LIST_ELEMENT]
    const arrowPath = [...inside.arrowPath, item.name]
    const value = primitiveElement(item.type.dictionary, path)
    this.elements.push({
      name: LIST_ELEMENT,
      repetition: item.nullable ? REPETITION.optional : REPETITION.required,
      ...value,
    })
    const definition = inside.definition + Number(item.nullable)
    this.#addLeaf(
      value.physicalType,
      { ...inside, path, arrowPath, definition },
      {
        childNumbers: here.childNumbers,
        structNullable: here.structNullable,
        listNullable: field.nullable,
        valueNullable: item.nullable,
      },
    )
  }

  #addLeaf(physicalType: number, here: Above, dictionary: DictionaryPath | undefined): void {
    this.leaves.push({
      path: here.path,
      arrowPath: here.arrowPath,
      physicalType,
      maxDefinition: here.definition,
      maxRepetition: here.repetition,
      ...(dictionary === undefined ? {} : { dictionary }),
    })
  }
}

function dictionaryPath(field: Field, above: Above): DictionaryPath | undefined {
  const { childNumbers, structNullable } = above
  if (childNumbers === undefined || !isTextDictionary(field.type)) return undefined
  return { childNumbers, structNullable, valueNullable: field.nullable }
}

type PrimitiveElement = Omit<SchemaElement, 'physicalType'> & { physicalType: number }

function primitiveElement(type: DataType, path: readonly string[]): Omit<PrimitiveElement, 'name'> {
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) {
    return { physicalType: PHYSICAL.byteArray, convertedType: CONVERTED.utf8, logicalType: { kind: 'string' } }
  }
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return { physicalType: PHYSICAL.byteArray }
  if (DataType.isBool(type)) return { physicalType: PHYSICAL.boolean }
  if (DataType.isFloat(type) && type.precision === 1) return { physicalType: PHYSICAL.float }
  if (DataType.isFloat(type) && type.precision === 2) return { physicalType: PHYSICAL.double }
  if (DataType.isInt(type)) return integerElement(type.bitWidth, type.isSigned)
  if (DataType.isDate(type) && type.unit === 0) {
    return { physicalType: PHYSICAL.int32, convertedType: CONVERTED.date, logicalType: { kind: 'date' } }
  }
  if (DataType.isTimestamp(type)) {
    const element = timestampElement(type.unit, type.timezone != null && type.timezone !== '')
    if (element !== undefined) return element
  }
  throw unsupportedError(type, path)
}

function integerElement(bits: number, isSigned: boolean): Omit<PrimitiveElement, 'name'> {
  const physicalType = bits === 64 ? PHYSICAL.int64 : PHYSICAL.int32
  if (isSigned && bits >= 32) return { physicalType }
  const key = `${isSigned ? '' : 'u'}int${bits}` as 'int8' | 'int16' | 'uint8' | 'uint16' | 'uint32' | 'uint64'
  return { physicalType, convertedType: CONVERTED[key], logicalType: { kind: 'integer', bits, isSigned } }
}

/** Returns undefined for seconds, which have no logical type in Parquet: readers would treat them as plain integers. */
function timestampElement(unit: TimeUnit, isAdjustedToUtc: boolean): Omit<PrimitiveElement, 'name'> | undefined {
  const physicalType = PHYSICAL.int64
  const logicalType = (name: 'millis' | 'micros' | 'nanos'): { logicalType: LogicalType } => ({
    logicalType: { kind: 'timestamp', isAdjustedToUtc, unit: name },
  })
  switch (unit) {
    case TimeUnit.MILLISECOND:
      return { physicalType, convertedType: CONVERTED.timestampMillis, ...logicalType('millis') }
    case TimeUnit.MICROSECOND:
      return { physicalType, convertedType: CONVERTED.timestampMicros, ...logicalType('micros') }
    case TimeUnit.NANOSECOND:
      return { physicalType, ...logicalType('nanos') }
    default:
      return undefined
  }
}

/** Refuses columns of the same name, which arrow-js and readers silently mix up. */
function checkNames(fields: readonly Field[], path: readonly string[] = []): void {
  const names = new Set<string>()
  for (const { name } of fields) {
    if (names.has(name)) {
      const where = path.length === 0 ? '' : ` in ${quoted(path.join('.'))}`
      throw new ExportError('ERR_PARQUET', `expected columns of different names, found ${quoted(name)} twice${where}`)
    }
    names.add(name)
  }
}

function unsupportedError(type: DataType, path: readonly string[]): ExportError {
  const column = quoted(path.join('.'))
  return new ExportError('ERR_PARQUET', `expected a type that Parquet can hold, found ${type} in column ${column}`)
}

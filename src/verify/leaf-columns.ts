/** Lists leaf columns, including those inside structs: `Grid.Row 1` is the member `Row 1` of the struct `Grid`. */

import { type Data, DataType, type Field } from 'apache-arrow'

export interface LeafColumn {
  /** Names from the top level down, separated by points. */
  readonly path: string
  readonly field: Field
}

/** Returns the columns that hold values, in order. */
export function leafColumns(fields: readonly Field[], prefix = ''): LeafColumn[] {
  return fields.flatMap((field): LeafColumn[] => {
    const path = prefix + field.name
    return DataType.isStruct(field.type) ? leafColumns(field.type.children, `${path}.`) : [{ path, field }]
  })
}

/** Returns the structs themselves, which have the metadata of their group. */
export function structColumns(fields: readonly Field[]): LeafColumn[] {
  return fields.filter(({ type }) => DataType.isStruct(type)).map((field) => ({ path: field.name, field }))
}

/**
 * Returns the arrays of the columns that hold values, in the order of `leafColumns`. Structs must have no nulls of
 * their own.
 */
export function leafData(children: readonly Data[]): Data[] {
  return children.flatMap((data) =>
    DataType.isStruct(data.type) && data.nullCount === 0 ? leafData(data.children) : [data],
  )
}

/** Columns one by one, those inside of structs too: `Grid.Row 1` is the member `Row 1` of the struct `Grid`. */

import { type Data, DataType, type Field } from 'apache-arrow'

export interface LeafColumn {
  /** Names from the top, with points between them. */
  readonly path: string
  readonly field: Field
}

/** The columns that hold values, in order. */
export function leafColumns(fields: readonly Field[], prefix = ''): LeafColumn[] {
  return fields.flatMap((field): LeafColumn[] => {
    const path = prefix + field.name
    return DataType.isStruct(field.type) ? leafColumns(field.type.children, `${path}.`) : [{ path, field }]
  })
}

/** The structs themselves, which say something about their group. */
export function structColumns(fields: readonly Field[]): LeafColumn[] {
  return fields.filter(({ type }) => DataType.isStruct(type)).map((field) => ({ path: field.name, field }))
}

/** The arrays of the columns that hold values, in the order of `leafColumns`. Structs must have no nulls of their own. */
export function leafData(children: readonly Data[]): Data[] {
  return children.flatMap((data) =>
    DataType.isStruct(data.type) && data.nullCount === 0 ? leafData(data.children) : [data],
  )
}

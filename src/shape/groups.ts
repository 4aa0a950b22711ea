/** Grids as struct columns: the questions of one group are members of one struct, which is never null. */

import { type Data, Field, makeData, Struct } from 'apache-arrow'
import type { FieldGroup } from '../definition.ts'
import { groupMetadata } from './metadata.ts'
import type { BaseBatch, OutputColumn } from './recipe.ts'

export class StructColumn implements OutputColumn {
  readonly field: Field
  readonly #type: Struct
  readonly #members: readonly OutputColumn[]

  constructor(name: string, group: FieldGroup, members: readonly OutputColumn[]) {
    this.#members = members
    this.#type = new Struct(members.map((member) => member.field))
    this.field = new Field(name, this.#type, true, groupMetadata(group))
  }

  build(base: BaseBatch): Data {
    const children = this.#members.map((member) => member.build(base))
    return makeData({ type: this.#type, length: base.rows, nullCount: 0, children })
  }
}

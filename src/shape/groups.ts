/** Grids as struct columns: the rows of one group as the members of one column, never null itself. */

import { type Data, Field, makeData, Struct } from 'apache-arrow'
import type { FieldGroup } from '../definition.ts'
import { groupMetadata } from './metadata.ts'
import type { BaseBatch, Recipe } from './recipe.ts'

export class StructRecipe implements Recipe {
  readonly field: Field
  readonly #type: Struct
  readonly #members: readonly Recipe[]

  constructor(name: string, group: FieldGroup, members: readonly Recipe[]) {
    this.#members = members
    this.#type = new Struct(members.map((member) => member.field))
    this.field = new Field(name, this.#type, true, groupMetadata(group))
  }

  build(base: BaseBatch): Data {
    const children = this.#members.map((member) => member.build(base))
    return makeData({ type: this.#type, length: base.rows, nullCount: 0, children })
  }
}

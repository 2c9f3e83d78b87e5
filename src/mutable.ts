/** A value while it is put together, optional members by assignment (docs/decisions/hot-path.md). */
export type Mutable<Value> = { -readonly [Name in keyof Value]: Value[Name] };

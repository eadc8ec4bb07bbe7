import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { Clock } from '../types/clock.js'

export const closed = { additionalProperties: false }
export const DAY = 86_400

export const list = <T extends TSchema>(item: T, bounds: { minItems?: number, maxItems?: number } = {}) =>
  Type.Unsafe<readonly Static<T>[]>(Type.Array(item, { maxItems: 1000, ...bounds }))
export const whole = (minimum: number, maximum: number) => Type.Optional(Type.Integer({ minimum, maximum }))
export const object = <T>() => Type.Unsafe<T>(Type.Object({}))
export const callback = <T>() => Type.Unsafe<T>(Type.Function([], Type.Unknown()))

export const name = Type.String({ minLength: 1, maxLength: 200 })
export const url = Type.String({ minLength: 1, maxLength: 2048 })
export const scopeName = Type.String({ minLength: 1, maxLength: 100 })

export const off = Type.Literal(false)

export const clock = { clock: Type.Optional(callback<Clock>()) }

import createError from '@fastify/error'

/** An option is missing, wrong or contradicts another. The message starts with the option's path. */
export const InvalidOptionError = createError<[string]>('MCPS_ERR_INVALID_OPTION', '%s', 500, TypeError)

/** An MCP route of the guarded scope would be reachable without the guard. Stops the boot. */
export const UnguardedRouteError = createError<[string]>('MCPS_ERR_UNGUARDED_ROUTE', '%s')

/** A part was registered without another one that it needs, or in the wrong order. */
export const PartOrderError = createError<[string]>('MCPS_ERR_PART_ORDER', '%s')

/** The app would listen beyond loopback while authentication is off. */
export const OpenServerError = createError<[string]>('MCPS_ERR_OPEN_SERVER', '%s')

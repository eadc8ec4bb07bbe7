/** Answers the time in whole seconds since the Unix epoch. One function, so that tests can stop it. */
export type Clock = () => number

/** For simulations of other packages: a server that behaves, or does not. */
export { Random } from './random.ts';
export { type Mood4, SimulatedServer4 } from './server4.ts';

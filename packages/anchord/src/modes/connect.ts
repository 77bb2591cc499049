/** The way to Docker that every mode takes: what is refused is noticed, and what will be needed is asked for at the start. */
import { connectEngine, type Engine } from '@berth/engine';
import { askForPermissions, type Feature, watchPermissions } from '../permissions/index.ts';
import type { Program } from '../program.ts';

/** `vital`: what the mode, or a feature that somebody switched on, cannot do without. */
export function connectWatched(program: Program, vital: readonly Feature[]): Engine {
  const { scope, clock } = program;
  const engine = connectEngine(scope, { clock, onAnswer: watchPermissions(program) });
  if (vital.length > 0) {
    scope.spawn('asking for permissions', (signal) => askForPermissions(engine, vital, clock, signal));
  }
  return engine;
}

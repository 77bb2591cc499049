/** One switch is for three things, and whoever throws it may have thought of one. */
import type { Log } from '@berth/service/log';
import { lifecycleMessages as messages } from '../messages/index.ts';
import type { Recipe } from './recipe.ts';

interface SwitchedOff {
  readonly managed: Pick<Recipe, 'target' | 'name'> | undefined;
  readonly autofixDeadNetns: boolean;
}

/** Where siblings are not started. */
export function sayWhatIsOff(log: Log, { managed, autofixDeadNetns }: SwitchedOff): void {
  log.say(messages.autostartDisabled);
  if (managed !== undefined) log.say(messages.recipeDisabled, { target: managed.target, name: managed.name });
  if (autofixDeadNetns) log.say(messages.autofixDisabled);
}

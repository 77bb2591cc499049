/** What a wrap-rebinder says. */
import { message } from '@berth/service/log';

export const wrapRebinderMessages = {
  starting: message(
    'info',
    'wrap-rebinder starting',
    ['project', 'poll_interval', 'restart_timeout'],
    'Containers of this project that join others are watched.',
  ),
  poolRefreshed: message(
    'info',
    'wrap-rebinder: target pool refreshed',
    ['targets'],
    'These containers are joined by some of ours. Said at the start and when it changes.',
  ),
  poolEmpty: message(
    'info',
    'wrap-rebinder: target pool is empty; nothing to track yet',
    [],
    'No container of the project joins another one.',
  ),
  poolListFailed: message(
    'warn',
    'wrap-rebinder: container list failed during pool enumeration',
    ['err'],
    'Docker did not tell its containers; it is asked again.',
  ),
  recheckListFailed: message(
    'warn',
    'wrap-rebinder: bootstrap recheck list failed',
    ['err'],
    'Docker did not tell its containers at the start; it is asked again.',
  ),
  orphan: message(
    'warn',
    'wrap-rebinder: anchor has stale netmode whose target ID no longer exists; manual recreate required',
    ['anchor', 'stored_ref'],
    'Nobody remembers the name of its target: label the container anchord.wrap-target=<name>, or make it anew.',
  ),
  targetStarted: message(
    'info',
    'tracked target started, recreating affected wrap-anchors',
    ['target', 'anchors'],
    'A container that some of ours join was started.',
  ),
  drift: message(
    'info',
    'wrap-rebinder: drift detected, recreating wrap-anchor',
    ['target', 'anchor', 'stored_ref', 'current_id', 'source'],
    'The container that it joins is another one by now.',
  ),
  recreated: message(
    'info',
    'wrap-rebinder: anchor recreated against live target',
    ['old_id', 'new_id', 'target', 'source'],
    'It sits in the namespace of its target again.',
  ),
  rejoined: message(
    'info',
    'wrap-rebinder: anchor restarted into the netns of its restarted target',
    ['anchor', 'target', 'source'],
    'The target was restarted in place; a restart was enough.',
  ),
  started: message(
    'info',
    'wrap-rebinder: anchor started beside its target',
    ['anchor', 'target', 'source'],
    'It could not start before, because its target was not there.',
  ),
  failed: message(
    'warn',
    'wrap-rebinder: recreate failed',
    ['anchor', 'target', 'source', 'err'],
    'It is as it was; the next event or poll tries again.',
  ),
  suppressed: message(
    'warn',
    'wrap-rebinder: suppressing rapid recreate',
    ['anchor', 'target', 'since_last', 'source'],
    'It was dealt with a moment ago; it is looked at again after a pause.',
  ),
  streamFailed: message(
    'warn',
    'wrap-rebinder event stream error, retrying',
    ['err'],
    'Starts of targets are seen at the next poll only, until the stream is back.',
  ),
};

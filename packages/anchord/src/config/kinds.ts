/** Kinds of settings that only anchord has. */
import { type Mac, parseMac } from '@berth/kernel/ip';
import { CodedError } from '@berth/service';
import { type Kind, stringMap } from '@berth/service/config';
import { formatSelector, type LabelPredicate, parseLabelSelector } from '../selector.ts';

type SourceNode = Parameters<Kind<unknown>['read']>[0];

const written = (node: SourceNode): string => (node.type === 'scalar' ? node.text : '');

/** `key=value` pairs. A blank text is no selector at all. */
export function labelSelector(): Kind<readonly LabelPredicate[]> {
  return {
    title: 'label selector',
    trims: true,
    jsonSchema: { type: 'string' },
    read(node, spot) {
      try {
        return parseLabelSelector(written(node));
      } catch (error) {
        if (error instanceof CodedError) return spot.fail(error.message, node);
        throw error;
      }
    },
    print: formatSelector,
  };
}

export function macAddress(): Kind<Mac> {
  return {
    title: 'MAC address',
    trims: true,
    jsonSchema: { type: 'string' },
    read(node, spot) {
      try {
        return parseMac(written(node).trim().replaceAll('-', ':'));
      } catch (error) {
        if (error instanceof CodedError) return spot.fail(`invalid ${spot.name}: ${error.message}`, node);
        throw error;
      }
    },
    print: (mac) => mac,
  };
}

/** Strings by name, of which only the names are ever shown: an environment is where passwords stand. */
export function secretStrings(): Kind<ReadonlyMap<string, string>> {
  return {
    ...stringMap(),
    print: (map) => JSON.stringify(Object.fromEntries(Array.from(map.keys(), (name) => [name, '***']))),
  };
}

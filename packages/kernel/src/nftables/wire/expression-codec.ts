/** Expressions on the wire. What we cannot read stays as it came. */
import { Attributes, type MessageWriter, malformed } from '../../netlink/index.ts';
import type { Expression } from '../model/index.ts';
import type { Codec, ReadContext, WriteContext } from './codecs.ts';
import { actionCodecs } from './codecs-action.ts';
import { loadCodecs } from './codecs-load.ts';
import { natCodecs } from './codecs-nat.ts';

const LIST_ELEMENT = 1;
const NAME = 1;
const DATA = 2;

type Kind = Exclude<Expression['is'], 'opaque'>;

const codecs: { readonly [K in Kind]: Codec<Extract<Expression, { readonly is: K }>> } = {
  ...loadCodecs,
  ...natCodecs,
  ...actionCodecs,
};

/** Several of our expressions are one to the kernel: it tells them by their attributes. */
const byName: ReadonlyMap<string, readonly Codec<Expression>[]> = Map.groupBy(
  Object.values<Codec<Expression>>(codecs),
  ({ name }) => name,
);

export function writeExpressions(
  writer: MessageWriter,
  context: WriteContext,
  expressions: readonly Expression[],
): void {
  for (const expression of expressions) {
    writer.nested(LIST_ELEMENT, () => writeExpression(writer, context, expression));
  }
}

/** The name and the attributes of one expression, without what is around them. */
export function writeExpression(writer: MessageWriter, context: WriteContext, expression: Expression): void {
  if (expression.is === 'opaque') {
    writer.string(NAME, expression.name);
    if (expression.bytes !== '') writer.nested(DATA, () => writer.raw(Buffer.from(expression.bytes, 'hex')));
    return;
  }
  const codec: Codec<Expression> = codecs[expression.is];
  writer.string(NAME, codec.name);
  if (codec.attributes.length > 0) writer.nested(DATA, () => codec.write(writer, expression, context));
}

export function readExpressions(attributes: Attributes, context: ReadContext): Expression[] {
  return Array.from(attributes.each(), ([, value]) => readExpression(new Attributes(value), context));
}

function readExpression(attributes: Attributes, context: ReadContext): Expression {
  const name = attributes.string(NAME);
  if (name === undefined) throw malformed('an expression has no name');
  const bytes = attributes.binary(DATA) ?? Buffer.alloc(0);
  const data = new Attributes(bytes);
  for (const codec of byName.get(name) ?? []) {
    if (Array.from(data.each(), ([type]) => type).every((type) => codec.attributes.includes(type))) {
      const expression = codec.read(data, context);
      if (expression !== undefined) return expression;
    }
  }
  return { is: 'opaque', name, bytes: bytes.toString('hex') };
}

import type { GraphileConfig } from 'graphile-config';
import type {} from 'postgraphile';
import type {} from '@graphile/simplify-inflection';

/**
 * How the catalogue's names become the API's, as rules instead of a tag per key:
 * - both exposed schemas share one namespace;
 * - a row's key is its `id`;
 * - a composite foreign key is named after its first column: the others only keep two rows of one patient together;
 * - a row is looked up by its key or by one column that is unique for a client too: wider keys and sort orders are rules;
 * - a foreign key to a code list is no relation: the code itself is the readable word;
 * - a list on its owner drops the owner's name: `doctor.schedules` for doctor_schedules;
 * - a word without a plural of its own is listed: `appointmentSeriesList`;
 * - a mutation's payload is named after what it returns.
 */
export const NamingPlugin: GraphileConfig.Plugin = {
  name: 'InfirmaryNamingPlugin',
  version: '1.0.0',
  after: ['PgSimplifyInflectionPlugin'],
  inflection: {
    replace: {
      _schemaPrefix: () => '',
      pluralize: (previous, _options, word) => (/(series|staff)$/i.test(word) ? `${word}List` : previous!(word)),
      _attributeName: (previous, _options, details) => previous!({ ...details, skipRowId: true }),
      _getBaseNameFromKeys: (previous, _options, keys) => previous!(keys.slice(0, 1)),
      _manyRelation(previous, _options, details) {
        const name = previous!(details);
        const owner = this.camelCase(this._singularizedCodecName(details.codec));
        const rest = name.startsWith(owner) ? name.slice(owner.length) : '';
        return /^[A-Z]/.test(rest) ? this.camelCase(rest) : name;
      },
      functionMutationResultFieldName(previous, _options, details) {
        const name = previous!(details);
        const type = details.returnGraphQLTypeName;
        const isRow = Boolean(details.resource.codec.attributes);
        return name !== 'result' || !isRow || type.endsWith('Result') ? name : this.camelCase(type);
      },
    },
  },
  schema: {
    entityBehavior: {
      pgResourceUnique: {
        inferred: {
          after: ['inferred'],
          provides: ['lookups'],
          callback(behavior, [, unique]) {
            const isLookup =
              unique.isPrimary || (unique.attributes.length === 1 && unique.attributes[0] !== 'sort_order');
            return isLookup ? behavior : [behavior, '-single'];
          },
        },
      },
      pgCodecRelation: {
        inferred: {
          after: ['inferred'],
          provides: ['codeLists'],
          callback(behavior, relation) {
            const columns = relation.isReferencee ? relation.localAttributes : relation.remoteAttributes;
            const codec = relation.isReferencee ? relation.localCodec : relation.remoteResource.codec;
            const isCode = columns.every((column) => codec.attributes?.[column]?.codec.name === 'text');
            return isCode ? [behavior, '-select', '-list', '-connection', '-single'] : behavior;
          },
        },
      },
    },
  },
};

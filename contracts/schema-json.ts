/** A schema of contracts/events as its file has it: Avro's JSON form, as far as our schemas use it. */
export type SchemaJson =
  | string
  | SchemaJson[]
  | {
      readonly type: SchemaJson;
      readonly name?: string;
      readonly doc?: string;
      readonly logicalType?: string;
      readonly symbols?: readonly string[];
      readonly items?: SchemaJson;
      readonly values?: SchemaJson;
      readonly fields?: readonly { readonly name: string; readonly type: SchemaJson; readonly doc?: string }[];
    };

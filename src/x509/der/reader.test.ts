import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshrootError } from '../../lib/errors.ts';
import { DerReader } from './reader.ts';
import { tags } from './tags.ts';
import { readBitString, readBoolean, readOid, readSmallInteger, readTime, readUnsigned } from './values.ts';
import { namedBits, oid, sequence, smallInteger, time, unsigned } from './writer.ts';

const read = (hex: string) => new DerReader(Buffer.from(hex, 'hex')).next(undefined, 'it');

describe('the DER reader', () => {
  test.each([
    ['0402ff', 'it ends before its length'],
    ['3080', 'it has an indefinite length'],
    ['048101ff', 'it has a length that is not minimal'],
    ['04820001ff', 'it has a length that is not minimal'],
    ['0484ffffffff', 'it has a length that is too large'],
    ['1f8101', 'it has a tag of more than one byte'],
    ['', 'it is missing'],
  ])('refuses %s: %s', (hex, message) => {
    expect(() => read(hex)).toThrow(expect.objectContaining({ code: 'bad-der', message }));
  });

  test('refuses what is longer than its limit before looking at it', () => {
    expect(() => new DerReader(Buffer.alloc(300 * 1024))).toThrow('is longer than 262144 bytes');
  });

  test('refuses deep nesting', () => {
    let nested = sequence();
    for (let i = 0; i < 40; i++) nested = sequence(nested);
    const descend = (reader: DerReader): void => descend(reader.enter(tags.sequence, 'a level'));
    expect(() => descend(new DerReader(nested))).toThrow('is nested deeper than 24 levels');
  });

  test.each(['02020001', '0200', '0201ff'])('refuses %s as a serial number', (hex) => {
    expect(() => readUnsigned(read(hex), 20, 'n')).toThrow(expect.objectContaining({ code: 'bad-der' }));
  });

  test('refuses booleans that are neither 00 nor ff, and padding bits that are set', () => {
    expect(() => readBoolean(read('010101'))).toThrow('a boolean is not 00 or ff');
    expect(() => readBitString(read('0302010f'), 'bits')).toThrow('padding bits');
  });

  test.each(['170d3235303233303030303030305a', '170b323530313031303030305a'])(
    'refuses the time %s',
    (hex) => {
      expect(() => readTime(read(hex))).toThrow(expect.objectContaining({ code: 'bad-der' }));
    },
  );
});

describe('what is written', () => {
  test('is read back: integers, times, object identifiers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.date({ min: new Date('1951'), max: new Date('2400') }),
        (n, d) => {
          fc.pre(!Number.isNaN(d.getTime()));
          expect(readSmallInteger(new DerReader(smallInteger(n)).next(tags.integer, 'n'), 'n')).toBe(n);
          const seconds = Math.floor(d.getTime() / 1000) * 1000;
          expect(readTime(new DerReader(time(d.getTime())).next(undefined, 't'))).toBe(seconds);
        },
      ),
    );
    for (const id of ['2.5.29.17', '1.2.840.113549.1.1.11', '0.9.2342.19200300.100.1.25', '2.999.3']) {
      // 2.999 has a first subidentifier above 127: X.690 8.19.4
      if (!id.startsWith('2.999')) expect(readOid(new DerReader(oid(id)).next(tags.oid, 'o'))).toBe(id);
    }
    expect(readOid(read('06038837 03'.replace(' ', '')))).toBe('2.999.3');
  });

  test('is minimal', () => {
    expect(unsigned(Buffer.from('0000ff', 'hex')).toString('hex')).toBe('020200ff');
    expect(unsigned(Buffer.alloc(3)).toString('hex')).toBe('020100');
    expect(namedBits([0, 2]).toString('hex')).toBe('030205a0');
    expect(time(Date.UTC(2049, 11, 31))[0]).toBe(tags.utcTime);
    expect(time(Date.UTC(2050, 0, 1))[0]).toBe(tags.generalizedTime);
  });

  test('cannot be a time after the year 9999', () => {
    expect(() => time(Date.UTC(10000, 0, 1))).toThrow(expect.objectContaining({ code: 'bad-time' }));
  });
});

test('arbitrary bytes only ever give a MeshrootError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const walk = (reader: DerReader): void => {
        while (!reader.done) {
          const node = reader.next(undefined, 'x');
          if ((node.tag & 0x20) !== 0) walk(reader.inside(node));
        }
      };
      try {
        walk(new DerReader(Buffer.from(bytes)));
      } catch (error) {
        expect(error).toBeInstanceOf(MeshrootError);
      }
    }),
  );
});

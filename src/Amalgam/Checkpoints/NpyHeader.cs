using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Amalgam.Checkpoints;

/// <summary>
/// What precedes the elements of a .npy file: a magic number, a version, a length and a Python dictionary in text, of which numpy writes three entries.
/// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
/// </summary>
internal sealed record NpyHeader(DType DType, bool IsFortranOrder, Shape Shape)
{
    /// <summary>The magic number, the version and the longer of the two length fields.</summary>
    public const int PrefixBytes = 12;

    private const int Alignment = 64, LengthLimit = 1 << 16, RankLimit = 64;

    private static readonly Dictionary<string, DType> Types = new(StringComparer.Ordinal)
    {
        ["f2"] = DType.F16,
        ["f4"] = DType.F32,
        ["f8"] = DType.F64,
        ["i1"] = DType.I8,
        ["i2"] = DType.I16,
        ["i4"] = DType.I32,
        ["i8"] = DType.I64,
        ["u1"] = DType.U8,
        ["u2"] = DType.U16,
        ["u4"] = DType.U32,
        ["u8"] = DType.U64,
        ["b1"] = DType.Bool,
        ["c8"] = DType.C64,
    };

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Where the dictionary begins, and how long it is.</summary>
    public static (int Begin, int Length) Measure(ReadOnlySpan<byte> prefix, long available, Func<string, InvalidDataException> fail)
    {
        if (prefix.Length < PrefixBytes || !prefix.StartsWith(Magic)) throw fail("does not begin like a .npy file");
        if (prefix[6] is not (1 or 2 or 3) || prefix[7] != 0) throw fail($"is of .npy version {prefix[6]}.{prefix[7]}, 1.0 to 3.0 are known");
        int begin = prefix[6] == 1 ? 10 : 12;
        long length = prefix[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(prefix[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
        if (length > LengthLimit || length > available - begin) throw fail($"has a header of {length} bytes, {available - begin} follow and the limit is {LengthLimit}");
        return (begin, (int)length);
    }

    /// <summary>Reads the dictionary.</summary>
    public static NpyHeader Parse(string text, Func<string, InvalidDataException> fail) => new Parser(text, fail).Parse();

    /// <summary>The header of a dense array, padded so that the elements are aligned.</summary>
    /// <exception cref="ArgumentException">numpy has no such type.</exception>
    public static byte[] Write(TensorSpec tensor)
    {
        string type = Types.FirstOrDefault(t => t.Value == tensor.DType).Key
            ?? throw new ArgumentException($"{tensor} cannot be stored, as numpy has no {tensor.DType.Name}; choose another type with --dtype, such as float32", nameof(tensor));
        string sizes = string.Join(", ", tensor.Shape.Sizes.ToArray()) + (tensor.Shape.Rank == 1 ? "," : "");
        string text = $"{{'descr': '{(tensor.DType.Bits == 8 ? '|' : '<')}{type}', 'fortran_order': False, 'shape': ({sizes}), }}";
        int total = (10 + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        byte[] header = new byte[total];
        Magic.CopyTo(header);
        header[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), (ushort)(total - 10));
        Encoding.ASCII.GetBytes(text.PadRight(total - 11) + '\n', header.AsSpan(10));
        return header;
    }

    private sealed class Parser(string text, Func<string, InvalidDataException> fail)
    {
        private int _at;

        public NpyHeader Parse()
        {
            DType? dtype = null;
            bool? fortran = null;
            Shape? shape = null;
            Expect('{');
            while (!Accept('}'))
            {
                string key = Text();
                Expect(':');
                switch (key)
                {
                    case "descr" when dtype is null: dtype = Type(); break;
                    case "fortran_order" when fortran is null: fortran = Word("True") || (Word("False") ? false : throw Fail("True or False")); break;
                    case "shape" when shape is null: shape = Sizes(); break;
                    default: throw fail($"has a header with an unknown or repeated entry '{key}'");
                }

                if (Accept(',')) continue;
                Expect('}');
                break;
            }

            if (text.AsSpan(_at).ContainsAnyExcept(' ', '\n')) throw Fail("nothing more");
            return dtype is null || fortran is null || shape is null ? throw fail("has a header without descr, fortran_order or shape") : new(dtype, fortran.Value, shape.Value);
        }

        private DType Type()
        {
            if (Peek() == '[') throw fail("is an array of records, which is not read");
            string descr = Text();
            if (descr.StartsWith('>')) throw fail($"is big-endian ({descr}), which is not read; save x.astype(x.dtype.newbyteorder('<'))");
            if (descr is "O" or "|O") throw fail("is an array of Python objects, which is not read");
            return descr.Length > 1 && descr[0] is '<' or '|' && Types.TryGetValue(descr[1..], out DType? dtype) && (descr[0] == '<' || dtype.Bits == 8)
                ? dtype : throw fail($"is of the type '{descr}', which is not read");
        }

        private Shape Sizes()
        {
            List<long> sizes = [];
            Expect('(');
            while (!Accept(')'))
            {
                Peek();
                int begin = _at;
                while (_at < text.Length && char.IsAsciiDigit(text[_at])) _at++;
                if (!long.TryParse(text.AsSpan(begin, _at - begin), NumberStyles.None, null, out long size)) throw Fail("a size");
                if (sizes.Count == RankLimit) throw fail($"has more than {RankLimit} axes");
                sizes.Add(size);
                if (Accept(',')) continue;
                Expect(')');
                break;
            }

            try
            {
                return new([.. sizes]);
            }
            catch (OverflowException)
            {
                throw fail($"has the shape [{string.Join(',', sizes)}], more elements than can be counted");
            }
        }

        private string Text()
        {
            char quote = Peek();
            int end = quote is '\'' or '"' ? text.IndexOf(quote, _at + 1) : -1;
            if (end < 0) throw Fail("a text in quotes");
            string inner = text[(_at + 1)..end];
            _at = end + 1;
            return inner;
        }

        private char Peek()
        {
            while (_at < text.Length && text[_at] == ' ') _at++;
            return _at < text.Length ? text[_at] : '\0';
        }

        private bool Accept(char c)
        {
            if (Peek() != c) return false;
            _at++;
            return true;
        }

        private bool Word(string word)
        {
            Peek();
            if (string.CompareOrdinal(text, _at, word, 0, word.Length) != 0) return false;
            _at += word.Length;
            return true;
        }

        private void Expect(char c)
        {
            if (!Accept(c)) throw Fail($"'{c}'");
        }

        private InvalidDataException Fail(string expected) => fail($"has a header that is not a numpy one: expected {expected} at character {_at}");
    }
}

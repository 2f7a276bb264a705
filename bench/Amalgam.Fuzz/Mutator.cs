using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace Amalgam.Fuzz;

/// <summary>A damaged file, and the sound ones around it.</summary>
internal sealed record Mutant(string Name, byte[] Bytes, ImmutableArray<(string Name, byte[] Bytes)> Others);

/// <summary>Damages seed files; the damage is a function of the seed, the kind and the case.</summary>
internal sealed partial class Mutator(string kind, ImmutableArray<Seed> files, long seed)
{
    private const int LargestBytes = 1 << 20;

    private static readonly ImmutableArray<ulong> Extremes =
    [
        0, 1, 2, 7, 8, 63, 127, 128, 255, 256, 1000, (ulong)short.MaxValue, ushort.MaxValue, 65536, int.MaxValue - 1, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, 1UL << 40,
        (1UL << 53) + 1, 1UL << 60, 1UL << 61, 1UL << 62, long.MaxValue - 8, long.MaxValue, 1UL << 63, ulong.MaxValue - 1, ulong.MaxValue,
    ];

    private static readonly ImmutableArray<string> JsonPieces =
    [
        "9223372036854775807", "9223372036854775808", "-1", "1e3", "1.0", "18446744073709551615", "99999999999999999999999999", "0", "00", "null", "true", "{}", "[]", "[[]]", "\"\"",
        "\"\\ud800\"", "\"\\u0000\"", "\"__metadata__\"", "\"dtype\":\"F64\",", "\"F8_E8M0\"", "\"F4\"", "\"shape\":[],", "/* */", ",", "}", "{", "]", "[", "\"", "\ufeff", "NaN", "../", "\\\\", "/etc/passwd",
    ];

    private static readonly ImmutableArray<string> YamlPieces =
    [
        "&a ", "*a", "*t", "<<: *t", "!!python/object:os.system ", "!!binary ", "? ", ": ", "- ", "[", "]", "{", "}", "|", ">", "'", "\"", "#", "%YAML 1.2\n", "---\n", "...\n", "\t", "\r", "\0", "\ufeff",
        "\ud800", "1e999", ".inf", ".nan", "-0x10", "99999999999999999999", "null", "~", "\u2028", "merge_method: ties\n", "parameters:\n", "density: -1\n", "layer_range: [5, 2]\n", "models: []\n", "\\u", "@", "`",
    ];

    /// <summary>Damages one of the seed files.</summary>
    public Mutant Make(int at)
    {
        Random random = new(HashCode(at));
        Seed file = files[random.Next(files.Length)];
        byte[] bytes = file.Bytes;
        int structured = random.Next(4);
        if (structured > 0) bytes = Structured(bytes, file.Name, random);
        if (structured is 0 or 3)
            for (int changes = random.Next(3) > 0 ? 1 : 1 << random.Next(4); changes > 0; changes--) bytes = Plain(bytes, random);
        return new(file.Name, bytes.Length > LargestBytes ? bytes[..LargestBytes] : bytes, file.Others);
    }

    private int HashCode(int at)
    {
        Checksum sum = new();
        sum.Add(Encoding.UTF8.GetBytes($"{seed} {kind} {at}"));
        return (int)(sum.Value ^ (sum.Value >> 32));
    }

    /// <summary>Damage that knows nothing of the format.</summary>
    private byte[] Plain(byte[] bytes, Random random)
    {
        if (bytes.Length == 0) return [(byte)random.Next(256)];
        int at = random.Next(bytes.Length), count = random.Next(1, 1 + Math.Min(bytes.Length - at, 1 << random.Next(10)));
        byte[] changed = [.. bytes];
        switch (random.Next(2) == 0 ? random.Next(9) : random.Next(4))
        {
            case 0: changed[at] ^= (byte)(1 << random.Next(8)); return changed;
            case 1: changed[at] = (byte)random.Next(256); return changed;
            case 2: changed.AsSpan(at, count).Fill((byte)(random.Next(3) * 0x7f + random.Next(2))); return changed;
            case 3: random.NextBytes(changed.AsSpan(at, count)); return changed;
            case 4: return bytes[..at];
            case 5: return [.. bytes[..at], .. bytes[(at + count)..]];
            case 6: return [.. bytes[..at], .. bytes.AsSpan(at, count), .. bytes[at..]];
            case 7:
                byte[] other = files[random.Next(files.Length)].Bytes;
                int from = random.Next(other.Length + 1);
                return random.Next(2) == 0 ? [.. bytes[..at], .. other[from..]] : [.. bytes[..at], .. other.AsSpan(from, Math.Min(count, other.Length - from)), .. bytes[at..]];
            default:
                WriteExtreme(changed, at, random);
                return changed;
        }
    }

    private static void WriteExtreme(byte[] bytes, int at, Random random)
    {
        int width = 1 << random.Next(4);
        ulong value = Extremes[random.Next(Extremes.Length)];
        for (int i = 0; i < width && at + i < bytes.Length; i++) bytes[at + i] = (byte)(value >> (8 * i));
    }

    private byte[] Structured(byte[] bytes, string name, Random random) => kind switch
    {
        "safetensors" => Header(bytes, random),
        "sharded" => name.EndsWith(".json", StringComparison.Ordinal) ? Edit(bytes, JsonPieces, random) : Header(bytes, random),
        "recipe" => Yaml(bytes, random),
        "pytorch-legacy" => Pickle(bytes, random),
        "onnx" => Protobuf(bytes, random),
        _ => random.Next(2) == 0 ? ZipFields(bytes, random) : ZipParts(bytes, random),
    };

    /// <summary>Changes what may be tags, lengths and small numbers: low bytes of the file, by low values.</summary>
    private static byte[] Protobuf(byte[] bytes, Random random)
    {
        int[] low = [.. Enumerable.Range(0, bytes.Length).Where(i => bytes[i] is > 0 and < 0x80)];
        byte[] changed = [.. bytes];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = low[random.Next(low.Length)];
            changed[at] = random.Next(2) == 0 ? (byte)random.Next(0x30) : (byte)(changed[at] + random.Next(-2, 3));
        }

        return changed;
    }

    /// <summary>Edits the JSON header, and mostly makes its length right again.</summary>
    private static byte[] Header(byte[] bytes, Random random)
    {
        int length = (int)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(bytes), (ulong)bytes.Length - 8);
        byte[] header = Edit(bytes[8..(8 + length)], JsonPieces, random), data = bytes[(8 + length)..];
        if (random.Next(8) == 0) return [.. bytes[..8], .. header, .. data];
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. data];
    }

    /// <summary>Edits a text: numbers, doubled members, nesting, pieces that do not belong.</summary>
    private static byte[] Edit(byte[] bytes, ImmutableArray<string> pieces, Random random)
    {
        string text = Encoding.UTF8.GetString(bytes);
        for (int changes = 1 + random.Next(2) * random.Next(3); changes > 0; changes--)
        {
            int at = random.Next(text.Length + 1);
            switch (random.Next(6))
            {
                case 0:
                    var numbers = Numbers().Matches(text);
                    if (numbers.Count == 0) break;
                    Match number = numbers[random.Next(numbers.Count)];
                    string value = random.Next(2) == 0 ? $"{Extremes[random.Next(Extremes.Length)]}" : $"{(ulong.TryParse(number.Value, out ulong v) ? v : 0) + (ulong)random.Next(-2, 3)}";
                    text = string.Concat(text.AsSpan(0, number.Index), value, text.AsSpan(number.Index + number.Length));
                    break;
                case 1:
                    var members = Members().Matches(text);
                    if (members.Count == 0) break;
                    Match member = members[random.Next(members.Count)];
                    text = text.Insert(members[random.Next(members.Count)].Index, member.Value + (random.Next(2) == 0 ? "," : ""));
                    break;
                case 2:
                    int depth = 1 << random.Next(17);
                    text = text.Insert(at, random.Next(2) == 0 ? new string('[', depth) : string.Concat(Enumerable.Repeat("{\"a\":", depth)));
                    break;
                case 3:
                    var quoted = Quoted().Matches(text);
                    if (quoted.Count < 2) break;
                    Match a = quoted[random.Next(quoted.Count)], b = quoted[random.Next(quoted.Count)];
                    text = string.Concat(text.AsSpan(0, a.Index), b.Value, text.AsSpan(a.Index + a.Length));
                    break;
                case 4: text = text.Insert(at, pieces[random.Next(pieces.Length)]); break;
                default:
                    int count = Math.Min(random.Next(1, 40), text.Length - at);
                    text = random.Next(2) == 0 ? text.Remove(at, count) : text.Insert(at, text.Substring(at, count));
                    break;
            }
        }

        return Encoding.UTF8.GetBytes(text);
    }

    private static byte[] Yaml(byte[] bytes, Random random)
    {
        List<string> lines = [.. Encoding.UTF8.GetString(bytes).Split('\n')];
        for (int changes = 1 + random.Next(2) * random.Next(4); changes > 0; changes--)
        {
            int at = random.Next(lines.Count);
            string line = lines[at];
            switch (random.Next(8))
            {
                case 0: lines.Insert(random.Next(lines.Count + 1), line); break;
                case 1: lines[at] = new string(' ', random.Next(12)) + line.TrimStart(); break;
                case 2: lines[at] = line.Insert(random.Next(line.Length + 1), YamlPieces[random.Next(YamlPieces.Length)]); break;
                case 3: lines[at] = Numbers().Replace(line, _ => $"{Extremes[random.Next(Extremes.Length)]}"); break;
                case 4: lines[at] = line + new string(random.Next(2) == 0 ? '[' : '{', 1 << random.Next(16)); break;
                case 5: lines[at] = string.Concat(Enumerable.Repeat("- ", 1 << random.Next(12))) + line; break;
                case 6: // an alias of aliases
                    lines.Insert(at, "a0: &a0 [x, x]");
                    for (int i = 1; i < random.Next(2, 40); i++) lines.Insert(at + i, $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]");
                    break;
                default: lines.RemoveAt(at); lines.Add(line); break;
            }
        }

        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    /// <summary>Splices opcodes, arguments and floods of them into a pickle.</summary>
    private static byte[] Pickle(byte[] bytes, Random random)
    {
        const string Opcodes = "(.0123FIJKLMNPQRSTUVXabcdeghijlopqrstuB}])\u0080\u0081\u0082\u0083\u0084\u0085\u0086\u0087\u0088\u0089\u008a\u008b\u008c\u008d\u008e\u008f\u0090\u0091\u0092\u0093\u0094\u0095\u0096\u0097\u0098";
        for (int changes = 1 + random.Next(2) * random.Next(4); changes > 0; changes--)
        {
            int at = random.Next(bytes.Length + 1);
            byte opcode = (byte)Opcodes[random.Next(Opcodes.Length)];
            byte[] inserted = random.Next(6) switch
            {
                0 => [opcode],
                1 => [opcode, .. BitConverter.GetBytes(Extremes[random.Next(Extremes.Length)])],
                2 => [.. Enumerable.Repeat(opcode, 1 << random.Next(18))],
                3 => [.. Enumerable.Range(0, 1 << random.Next(12)).SelectMany(i => (byte[])[(byte)']', (byte)'r', .. BitConverter.GetBytes(i)])],
                4 => [(byte)'J', .. BitConverter.GetBytes(Extremes[random.Next(Extremes.Length)]).AsSpan(0, 4)],
                _ => bytes[at..Math.Min(bytes.Length, at + random.Next(1, 64))],
            };
            bytes = random.Next(3) == 0 && at + inserted.Length <= bytes.Length ? [.. bytes[..at], .. inserted, .. bytes[(at + inserted.Length)..]] : [.. bytes[..at], .. inserted, .. bytes[at..]];
        }

        return bytes;
    }

    /// <summary>Writes extremes into the fields of a zip's records; half of the time the same one into an entry's two headers.</summary>
    private static byte[] ZipFields(byte[] bytes, Random random)
    {
        byte[] changed = [.. bytes];
        int[] locals = Find(bytes, 0x04034b50), centrals = Find(bytes, 0x02014b50), ends = [.. Find(bytes, 0x06054b50), .. Find(bytes, 0x06064b50), .. Find(bytes, 0x07064b50)];
        (int Local, int Central, int Width)[] twins = [(4, 6, 2), (6, 8, 2), (8, 10, 2), (14, 16, 4), (18, 20, 4), (22, 24, 4), (26, 28, 2), (28, 30, 2), (30, 46, 8)];
        for (int changes = random.Next(1, 4); changes > 0; changes--)
        {
            ulong value = Extremes[random.Next(Extremes.Length)];
            if (random.Next(2) == 0 && locals.Length == centrals.Length && locals.Length > 0)
            {
                int i = random.Next(locals.Length);
                var (local, central, width) = twins[random.Next(twins.Length)];
                Put(changed, locals[i] + local, width, value);
                Put(changed, centrals[i] + central, width, value);
            }
            else
            {
                int[] places = random.Next(3) switch { 0 => locals, 1 => centrals, _ => ends };
                if (places.Length > 0) Put(changed, places[random.Next(places.Length)] + 2 * random.Next(2, 28), 1 << random.Next(1, 4), value);
            }
        }

        return changed;
    }

    private static void Put(byte[] bytes, int at, int width, ulong value)
    {
        for (int i = 0; i < width && at + i < bytes.Length; i++) bytes[at + i] = (byte)(value >> (8 * i));
    }

    private static int[] Find(byte[] bytes, uint signature)
    {
        List<int> places = [];
        for (int at = 0; at + 4 <= bytes.Length; at++)
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at)) == signature) places.Add(at);
        return [.. places];
    }

    /// <summary>Damages a file inside the zip, and zips again, so that the damage lies behind sound checksums.</summary>
    private byte[] ZipParts(byte[] bytes, Random random)
    {
        List<(string Name, byte[] Bytes)> parts = [];
        using (ZipArchive from = new(new MemoryStream(bytes)))
        {
            foreach (ZipArchiveEntry entry in from.Entries)
            {
                using MemoryStream part = new();
                using (Stream open = entry.Open()) open.CopyTo(part);
                parts.Add((entry.FullName, part.ToArray()));
            }
        }

        int at = random.Next(parts.Count), pickle = parts.FindIndex(p => p.Name.EndsWith("/data.pkl", StringComparison.Ordinal));
        if (pickle >= 0 && random.Next(4) > 0) at = pickle;
        var (name, damaged) = parts[at];
        damaged = at == pickle && random.Next(3) > 0 ? Pickle(damaged, random) : name.EndsWith(".npy", StringComparison.Ordinal) && random.Next(3) > 0 ? Npy(damaged, random) : Plain(damaged, random);
        parts[at] = (random.Next(10) > 0 ? name : parts[random.Next(parts.Count)].Name + (random.Next(2) == 0 ? "" : "/../x"), damaged);
        if (random.Next(10) == 0) parts.RemoveAt(random.Next(parts.Count));

        using MemoryStream to = new();
        using (ZipArchive zip = new(to, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (partName, part) in parts)
            {
                using Stream open = zip.CreateEntry(partName, kind == "npz-deflated" ? CompressionLevel.Fastest : CompressionLevel.NoCompression).Open();
                open.Write(part);
            }
        }

        return to.ToArray();
    }

    /// <summary>Edits the text of a .npy header, and mostly keeps its length right.</summary>
    private static byte[] Npy(byte[] bytes, Random random)
    {
        if (bytes.Length < 10) return bytes;
        int length = Math.Min((int)BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8)), bytes.Length - 10);
        string[] pieces = ["(3, 4)", "(4611686018427387904, 4)", "(0, 9223372036854775807)", "()", "(1,", "True", "'O'", "'<f8'", "'>f4'", "[('a', '<f4')]", "'", "}", "{", "(1,)*9", "-1", "'|b1'", "\u0660"];
        byte[] text = Edit(bytes[10..(10 + length)], [.. pieces], random);
        byte[] count = random.Next(6) == 0 ? bytes[8..10] : BitConverter.GetBytes((ushort)text.Length);
        return [.. bytes[..8], .. count, .. text, .. bytes[(10 + length)..]];
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();

    [GeneratedRegex("\"[^\"]*\":(\\{[^{}]*\\}|\\[[^\\[\\]]*\\]|[^,{}\\[\\]]*)")]
    private static partial Regex Members();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();
}

using System.Runtime.InteropServices;
using System.Text.Json;
using Amalgam.Checkpoints;

namespace Amalgam.Alignment;

/// <summary>
/// Files that say where units go, to be kept, looked at and applied again: JSON, or NumPy's archive. For a class of units they have an array for each model. Of permutations, element i is the
/// unit that comes to place i, so that in NumPy <c>weight[permutation]</c> moves an axis; of zips, element i is the merged unit that unit i becomes part of. Units are counted over all blocks.
/// </summary>
public static class PermutationFile
{
    private const string Format = "amalgam permutations", Permutations = "permutation", Zips = "zip", Json = ".json", NumPy = ".npz";
    private const long LargestBytes = 1L << 30;

    /// <summary>Writes maps.</summary>
    /// <param name="maps">The maps; pinned classes are left out.</param>
    /// <param name="models">What the models are called.</param>
    /// <param name="path">A file that ends in .npz, or in .json; it appears when it is complete, and replaces what is there.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="InvalidDataException">It is called otherwise.</exception>
    public static void Write(UnitMaps maps, IReadOnlyList<string> models, string path)
    {
        CheckName(path);
        string kind = maps.ArePermutations ? Permutations : Zips;
        var arrays = maps.Groups.Classes.Where(units => units.Pinned is null)
            .Select(units => (Units: units, Of: Enumerable.Range(0, maps.Models).Select(model => kind == Permutations ? maps.Permutation(units, model) : maps.To(units, model).ToArray()).ToArray())).ToArray();
        if (path.EndsWith(NumPy, StringComparison.OrdinalIgnoreCase))
        {
            var all = arrays.SelectMany(a => a.Of.Select((of, model) => (Spec: new TensorSpec($"{kind}/{model}/{a.Units.Name}", DType.I64, new(of.Length)), Values: of))).ToArray();
            using CheckpointOutput output = CheckpointOutput.Create(path, [.. all.Select(a => a.Spec)], new Dictionary<string, string>(), new(Overwrite: true), Format);
            foreach (var (spec, values) in all) output.Write(spec.Name, 0, MemoryMarshal.AsBytes<long>(Array.ConvertAll(values, v => (long)v)));
            output.Commit();
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string partial = path + ".partial";
        try
        {
            using (FileStream stream = File.Create(partial)) WriteJson(stream, kind, models, arrays);
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Refuses a name that does not say which of the two forms the file has.</summary>
    /// <exception cref="InvalidDataException">It ends neither in .json nor in .npz.</exception>
    public static void CheckName(string path)
    {
        if (!path.EndsWith(Json, StringComparison.OrdinalIgnoreCase) && !path.EndsWith(NumPy, StringComparison.OrdinalIgnoreCase)) throw new InvalidDataException($"{path} is no name for a file of permutations: it ends in {Json} or {NumPy}");
    }

    /// <summary>Reads maps of the units of a network.</summary>
    /// <param name="path">A file that <see cref="Write"/> wrote.</param>
    /// <param name="groups">The units, which must be those that the file is of.</param>
    /// <param name="models">Number of models.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no such file, or one of other units or of another number of models.</exception>
    public static UnitMaps Read(string path, UnitGroups groups, int models)
    {
        CheckName(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"{path} does not exist", path);
        var (kind, arrays) = path.EndsWith(NumPy, StringComparison.OrdinalIgnoreCase) ? ReadArchive(path) : ReadJson(path);
        int count = arrays.Values.Select(of => of.Count).DefaultIfEmpty(models).Max();
        if (count != models) throw Invalid(path, $"it is of {count} models, expected {models}");
        if (arrays.Keys.FirstOrDefault(name => groups.Classes.All(units => units.Name != name)) is { } strange) throw Invalid(path, $"the network has no units '{strange}'; it was written for another one");
        UnitMaps maps = UnitMaps.Identity(groups, models);
        foreach (UnitClass units in groups.Classes.Where(units => units.Pinned is null))
        {
            if (!arrays.TryGetValue(units.Name, out SortedList<int, int[]>? of) || of.Count != models || of.Keys[^1] != models - 1) throw Invalid(path, $"it does not say where the units of '{units.Name}' go in every model");
            try
            {
                if (of.Values.FirstOrDefault(array => array.Length != units.Units) is { } odd) throw new ArgumentException($"{odd.Length} numbers for the {units.Units} units of '{units.Name}'");
                if (kind == Zips) maps.Set(units, [.. of.Values]);
                else for (int model = 0; model < models; model++) maps.SetPermutation(units, model, of.Values[model]);
            }
            catch (ArgumentException e)
            {
                throw Invalid(path, e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal), e);
            }
        }

        if (maps.Deserted() is { } deserted) throw Invalid(path, $"{deserted}: a merged unit is left without members");
        return arrays.Keys.FirstOrDefault(name => groups.Classes.First(units => units.Name == name).Pinned is not null) is { } pinned
            ? throw Invalid(path, $"it moves the units '{pinned}', which are pinned here: {groups.Classes.First(units => units.Name == pinned).Pinned}") : maps;
    }

    private static void WriteJson(Stream stream, string kind, IReadOnlyList<string> models, IEnumerable<(UnitClass Units, int[][] Of)> arrays)
    {
        using Utf8JsonWriter json = new(stream);
        json.WriteStartObject();
        json.WriteString("format", Format);
        json.WriteString("kind", kind);
        json.WriteStartArray("models");
        foreach (string model in models) json.WriteStringValue(model);
        json.WriteEndArray();
        json.WriteStartArray("classes");
        foreach (var (units, of) in arrays)
        {
            json.WriteStartObject();
            json.WriteString("name", units.Name);
            json.WriteNumber("size", units.Size);
            json.WriteNumber("blocks", units.Blocks);
            json.WriteStartArray("maps");
            foreach (int[] map in of)
            {
                json.WriteStartArray();
                foreach (int unit in map) json.WriteNumberValue(unit);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static (string Kind, Dictionary<string, SortedList<int, int[]>> Arrays) ReadJson(string path)
    {
        try
        {
            if (new FileInfo(path).Length == 0) throw Invalid(path, "it is empty");
            if (new FileInfo(path).Length > LargestBytes) throw Invalid(path, $"it has more than {LargestBytes:N0} bytes");
            using FileStream stream = File.OpenRead(path);
            using JsonDocument json = JsonDocument.Parse(stream);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("format", out JsonElement format) || format.ValueKind != JsonValueKind.String || format.GetString() != Format) throw Invalid(path, $"its format is not '{Format}'");
            Dictionary<string, SortedList<int, int[]>> arrays = new(StringComparer.Ordinal);
            foreach (JsonElement units in json.RootElement.GetProperty("classes").EnumerateArray())
            {
                SortedList<int, int[]> of = [];
                foreach (JsonElement map in units.GetProperty("maps").EnumerateArray()) of.Add(of.Count, [.. map.EnumerateArray().Select(unit => unit.GetInt32())]);
                string name = units.GetProperty("name").GetString() ?? "";
                if (!arrays.TryAdd(name, of)) throw Invalid(path, $"it has the units '{name}' twice");
            }

            return (KindOf(path, json.RootElement.GetProperty("kind").GetString()), arrays);
        }
        catch (KeyNotFoundException e)
        {
            throw Invalid(path, "it has no 'kind' or no 'classes', or a class without 'name' or 'maps'", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Invalid(path, e.Message, e);
        }
    }

    private static (string Kind, Dictionary<string, SortedList<int, int[]>> Arrays) ReadArchive(string path)
    {
        using Checkpoint archive = Checkpoint.Open(path);
        Dictionary<string, SortedList<int, int[]>> arrays = new(StringComparer.Ordinal);
        string? kind = null;
        foreach (TensorEntry array in archive.Tensors)
        {
            string[] parts = array.Name.Split('/', 3);
            if (parts.Length < 3 || !int.TryParse(parts[1], out int model) || (array.DType != DType.I64 && array.DType != DType.I32) || array.Shape.Rank != 1)
                throw Invalid(path, $"expected arrays of whole numbers named {Permutations}/MODEL/UNITS or {Zips}/MODEL/UNITS, found {array}");
            if (kind is not null && kind != parts[0]) throw Invalid(path, $"it has arrays of '{kind}' and of '{parts[0]}'");
            kind = KindOf(path, parts[0]);
            if (!arrays.TryGetValue(parts[2], out SortedList<int, int[]>? of)) arrays.Add(parts[2], of = []);
            if (!of.TryAdd(model, Whole(path, array))) throw Invalid(path, $"it has '{parts[2]}' of model {model} twice");
        }

        return (kind ?? Permutations, arrays);
    }

    private static int[] Whole(string path, TensorEntry array)
    {
        byte[] bytes = new byte[array.ByteCount];
        array.Read(0, bytes);
        if (array.DType == DType.I32) return MemoryMarshal.Cast<byte, int>(bytes).ToArray();
        return [.. MemoryMarshal.Cast<byte, long>(bytes).ToArray().Select(value => value is >= 0 and <= int.MaxValue ? (int)value : throw Invalid(path, $"{array} holds {value}, which is no unit"))];
    }

    private static string KindOf(string path, string? kind) => kind is Permutations or Zips ? kind : throw Invalid(path, $"expected '{Permutations}' or '{Zips}', found '{kind}'");

    private static InvalidDataException Invalid(string path, string why, Exception? inner = null) => new($"{path} is no file of permutations: {why}", inner);
}

using System.Globalization;
using Amalgam.Zoo.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>What folders of runs say of the data that they learned from, where networks of several runs are looked at on the data of the first.</summary>
public static class RunsData
{
    /// <summary>Refuses runs that learned from samples that are not alike: of other data, other classes, or other means and deviations of pixels.</summary>
    /// <param name="paths">The networks; those that are no folders of runs count for nothing.</param>
    /// <param name="withPixels">Whether means and deviations count, as nothing else says them.</param>
    /// <returns>What a user should know: that it is a part of the samples, where others learned from another part; null for nothing.</returns>
    /// <exception cref="InvalidDataException">The data of two runs is not of one kind.</exception>
    public static string? Check(IEnumerable<string> paths, bool withPixels = true)
    {
        var runs = paths.Select(path => (Path: path, RunFolder.Find(path)?.Data)).Where(run => run.Data is not null).Select(run => (run.Path, Data: run.Data!)).ToArray();
        if (runs.Length < 2) return null;
        var (first, data) = runs[0];
        foreach (var (path, other) in runs[1..])
        {
            if (Kind(data) is var a && Kind(other) is var b && a != b) throw Refuse(first, a, path, b, $"name what both are to be looked at on: --data {data.Name}");
            if (withPixels && Pixels(data) is var ofA && Pixels(other) is var ofB && ofA != ofB) throw Refuse(first, ofA, path, ofB, "name what both are to be looked at on: --data with --mean and --std");
        }

        string[] others = [.. runs[1..].Where(run => Part(run.Data) != Part(data)).Select(run => run.Path)];
        return others.Length == 0 ? null
            : $"networks are looked at on {Part(data)} of {data.Name}, from which {first} learned; {string.Join(", ", others)} learned from {(others.Length == 1 ? Part(runs.First(run => run.Path == others[0]).Data) : "other parts")}: --data {data.Name} names all of it";
    }

    private static InvalidDataException Refuse(string first, string a, string other, string b, string advice) => new($"{first} learned from {a}, {other} from {b}; {advice}");

    /// <summary>The data and its classes; which tokenizer reads texts is a matter of each model.</summary>
    private static string Kind(DataDescription data)
    {
        string options = string.Join(", ", data.Options.Where(option => option.Key != TextSource.Tokenizer).OrderBy(option => option.Key, StringComparer.Ordinal).Select(option => $"{option.Key}={option.Value}"));
        string classes = !data.Groups.IsEmpty ? $"groups of classes {string.Join('/', data.Groups.Select(group => string.Join(',', group)))}" : data.Classes.IsEmpty ? "all classes" : $"the classes {string.Join(", ", data.Classes)}";
        return $"{classes} of {data.Name}{(options == "" ? "" : $" ({options})")}";
    }

    private static string Pixels(DataDescription data)
    {
        static string Text(string name, IEnumerable<float> values) => values.Any() ? $"{name} {string.Join('/', values.Select(value => value.ToString(CultureInfo.InvariantCulture)))}" : $"no {name}";
        return $"pixels with {Text("mean", data.Augmentation.Mean)} and {Text("std", data.Augmentation.Deviation)}";
    }

    private static string Part(DataDescription data) => data.Part is not { } part ? "all samples"
        : string.Create(CultureInfo.InvariantCulture, $"a part (the classes {string.Join(", ", part.Classes)} with {part.Share:0.####} of the others, seed {part.Seed}{(part.Rest ? "; the rest" : "")})");
}

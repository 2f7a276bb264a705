using System.Collections.Immutable;
using System.Globalization;

namespace Amalgam.Zoo.Data;

/// <summary>Texts with their classes, as GLUE's tab-separated files have them: a header names the columns, <c>label</c> is a class's name or number.</summary>
/// <param name="Texts">For each sample its texts, one or two.</param>
/// <param name="Labels">For each sample its class.</param>
public sealed record LabelledText(ImmutableArray<ImmutableArray<string>> Texts, ImmutableArray<int> Labels)
{
    private const int MostClasses = 10_000;

    /// <summary>Reads a file.</summary>
    /// <param name="path">Tab-separated text, perhaps .gz.</param>
    /// <param name="columns">The columns of the texts.</param>
    /// <param name="classes">Names of the classes.</param>
    /// <param name="numbered">A label that is no class's name may be its number, from 0 on.</param>
    /// <exception cref="InvalidDataException">A column is missing, or a line does not fit the header.</exception>
    public static LabelledText Read(string path, ImmutableArray<string> columns, ImmutableArray<string> classes, bool numbered = false)
    {
        string[]? header = null;
        int[] at = [];
        int label = -1, number = 0;
        var texts = ImmutableArray.CreateBuilder<ImmutableArray<string>>();
        var labels = ImmutableArray.CreateBuilder<int>();
        foreach (string line in DataFolder.Lines(path))
        {
            number++;
            string[] cells = line.Split('\t');
            if (header is null)
            {
                header = cells;
                at = [.. columns.Select(c => Column(path, cells, c))];
                label = Column(path, cells, "label");
                continue;
            }

            if (cells.Length != header.Length) throw new InvalidDataException($"{path}, line {number}: {cells.Length} columns, the header has {header.Length}");
            texts.Add([.. at.Select(c => cells[c].Trim())]);
            labels.Add(ClassOf(path, number, cells[label], classes, numbered));
        }

        return new(texts.ToImmutable(), labels.ToImmutable());
    }

    /// <summary>The labels of a file: in alphabetical order, or where all are whole numbers, by size.</summary>
    /// <exception cref="InvalidDataException">It has no column of labels, or fewer than two labels.</exception>
    public static ImmutableArray<string> ClassesOf(string path)
    {
        HashSet<string> labels = new(StringComparer.Ordinal);
        int at = -1;
        foreach (string[] cells in DataFolder.Lines(path).Select(line => line.Split('\t')))
        {
            if (at < 0) at = Column(path, cells, "label");
            else if (at < cells.Length) labels.Add(cells[at]);
            if (labels.Count > MostClasses) throw new InvalidDataException($"{path} has more than {MostClasses} different labels; the column 'label' is a class's name or number");
        }

        if (labels.Count < 2) throw new InvalidDataException($"{path} has {labels.Count} different labels, expected two or more");
        bool numbers = labels.All(l => int.TryParse(l, out _));
        return [.. numbers ? labels.OrderBy(l => int.Parse(l, CultureInfo.InvariantCulture)) : labels.Order(StringComparer.Ordinal)];
    }

    private static int Column(string path, string[] header, string name) =>
        Array.IndexOf(header, name) is >= 0 and int at ? at : throw new InvalidDataException($"{path} has no column '{name}'; its header has {string.Join(", ", header.Take(20))}");

    private static int ClassOf(string path, int line, string text, ImmutableArray<string> classes, bool numbered)
    {
        int named = classes.IndexOf(text);
        if (numbered && named < 0 && int.TryParse(text, out int number) && number >= 0 && number < classes.Length) named = number;
        return named >= 0 ? named : throw new InvalidDataException($"{path}, line {line}: the label '{text}' is none of {string.Join(", ", classes)}{(numbered ? $" and no number below {classes.Length}" : "")}");
    }
}

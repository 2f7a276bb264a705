using System.Collections.Immutable;
using Amalgam.Zoo.Data.Tokenizers;

namespace Amalgam.Zoo.Data;

/// <summary>Labelled texts as data sets: GLUE's, and a user's own.</summary>
internal static class TextSource
{
    /// <summary>Name of a user's own texts.</summary>
    public const string Own = "texts";

    /// <summary>The option that names a folder with a tokenizer.</summary>
    public const string Tokenizer = "tokenizer";

    private const string Pieces = "4096", Sst2 = "glue/SST-2";

    private static readonly ImmutableDictionary<string, string> Common = ImmutableDictionary.CreateRange<string, string>([new("length", "64"), new("vocabulary", Pieces), new(Tokenizer, "")]);

    public static IEnumerable<DataSource> All =>
    [
        Glue("sst2", "Sentences of film reviews, negative or positive (GLUE's SST-2): 67,349 to train; test is the labelled dev part", "R. Socher et al., EMNLP 2013; to be cited", Sst2, ["sentence"],
            ["negative", "positive"], DataDownload.Sst2),
        Glue("rte", "Pairs of sentences, the second following from the first or not (GLUE's RTE): 2,490 to train; test is the labelled dev part", "PASCAL RTE challenges; to be cited", "glue/RTE",
            ["sentence1", "sentence2"], ["entailment", "not_entailment"], DataDownload.Rte),
        new("sst2-order", "Phrases of those reviews with six words or more, in order or shuffled: 38,718 to train; test has those of the dev part both ways", "R. Socher et al., EMNLP 2013; to be cited")
        {
            Files = [$"{Sst2}/train.tsv", $"{Sst2}/dev.tsv"],
            Downloads = DataDownload.Sst2,
            Options = Common,
            Open = (files, split, o) =>
            {
                LabelledText Read(string part, bool twice) =>
                    WordOrder.Of(LabelledText.Read(files.Need($"{Sst2}/{part}.tsv"), ["sentence"], ["negative", "positive"], numbered: true), part, twice);
                return Set("sst2-order", split, Read("train", false), () => Read("dev", true), o, WordOrder.Classes);
            },
        },
        new(Own, "Your own texts, or pairs of them, with labels: tab-separated files with a header", "Yours")
        {
            Options = Common.Add("train", "").Add("test", "").Add("columns", "sentence"),
            Open = OpenOwn,
        },
    ];

    /// <summary>Whether a data set's samples are texts.</summary>
    public static bool Is(string name) => All.Any(s => s.Name == name);

    private static DataSource Glue(string name, string summary, string terms, string folder, ImmutableArray<string> columns, ImmutableArray<string> classes, ImmutableArray<Download> downloads) =>
        new(name, summary, terms)
        {
            Files = [$"{folder}/train.tsv", $"{folder}/dev.tsv"],
            Downloads = downloads,
            Options = Common,
            Open = (files, split, o) =>
            {
                LabelledText train = LabelledText.Read(files.Need($"{folder}/train.tsv"), columns, classes, numbered: true);
                return Set(name, split, train, () => LabelledText.Read(files.Need($"{folder}/dev.tsv"), columns, classes, numbered: true), o, classes);
            },
        };

    private static TextSet OpenOwn(DataFiles files, Split split, DataOptions o)
    {
        ImmutableArray<string> columns = [.. o.Texts["columns"].Split([',', '/'], StringSplitOptions.TrimEntries)];
        if (columns.Length > 2) throw new InvalidDataException($"the option columns of the data set {Own} names {columns.Length} columns of texts, expected one or two");
        string path = File("train");
        ImmutableArray<string> classes = LabelledText.ClassesOf(path);
        return Set(Own, split, LabelledText.Read(path, columns, classes), () => LabelledText.Read(File("test"), columns, classes), o, classes);

        string File(string part) => o.Texts[part] is { Length: > 0 } named && System.IO.File.Exists(named) ? named : throw new InvalidDataException(o.Texts[part].Length == 0
            ? $"the data set {Own} needs the option {part}, the path of a tab-separated file with a header" : $"the data set {Own}: {o.Texts[part]} does not exist");
    }

    /// <summary>A vocabulary is learned from the training texts, whatever part is opened; a tokenizer brings its own.</summary>
    private static TextSet Set(string name, Split split, LabelledText train, Func<LabelledText> test, DataOptions o, ImmutableArray<string> classes)
    {
        string folder = o.Texts[Tokenizer];
        if (folder.Length > 0 && o.Texts["vocabulary"] != Pieces) throw new InvalidDataException($"the data set {name} takes the vocabulary of the tokenizer in {folder}; leave the option vocabulary out");
        Tokenizer tokenizer = folder.Length > 0 ? TokenizerFolder.Open(folder)
            : Vocabulary.Train(train.Texts.SelectMany(t => t), o.Whole("vocabulary", Vocabulary.Least, 1 << 16));
        return new($"{name}, {(split == Split.Train ? "training" : "test")}", split == Split.Train ? train : test(), tokenizer, o.Whole("length", 3, 4096), classes);
    }
}

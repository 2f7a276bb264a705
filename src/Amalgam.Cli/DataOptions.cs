using System.CommandLine;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>The options that say on which samples networks are measured.</summary>
internal sealed class DataOptions
{
    private readonly Option<string?> _data = new("--data", "-d") { Description = "The data set, as amalgam data list shows it, with options after a colon: glyphs:classes=20; or an .npz file; of the folder of a run its own" };
    private readonly Option<float[]?> _mean = NumbersOption.Create("--mean", "For each channel what is subtracted from pixels, which are 0 to 1: 0.485,0.456,0.406");
    private readonly Option<float[]?> _std = NumbersOption.Create("--std", "For each channel what they are then divided by");

    /// <summary>All of them.</summary>
    public IEnumerable<Option> All => [_data, _mean, _std];

    /// <summary>The file that is named as data; null where a data set is named, or nothing.</summary>
    public string? FileOf(ParseResult parse) => parse.GetValue(_data) is { } name && File.Exists(name) ? name : null;

    /// <summary>Whether an option names the data.</summary>
    public bool IsNamed(ParseResult parse) => parse.GetValue(_data) is not null;

    /// <summary>Whether options say what is done to pixels.</summary>
    public bool NamesPixels(ParseResult parse) => parse.GetValue(_mean) is { Length: > 0 } && parse.GetValue(_std) is { Length: > 0 };

    /// <summary>Whether the data is the run's own.</summary>
    public bool IsOfRun(ParseResult parse, RunDescription? run) => run is not null && parse.GetValue(_data) is null;

    /// <summary>The data, whole and without what is random in its augmentation.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="models">The models that are measured; those of a Hugging Face folder say how texts are read.</param>
    /// <param name="run">The run that the first of them is of; null where it is none.</param>
    /// <exception cref="InvalidDataException">Nothing names the data.</exception>
    public DataDescription Describe(ParseResult parse, IEnumerable<string> models, RunDescription? run) =>
        Find(parse, models, run) ?? throw new InvalidDataException("name the data: --data mnist; only the folder of a run says it itself");

    /// <summary>As <see cref="Describe"/>; null where nothing names the data.</summary>
    public DataDescription? Find(ParseResult parse, IEnumerable<string> models, RunDescription? run)
    {
        if ((parse.GetValue(_data) is { } name ? DataDescription.Parse(name) : run?.Data) is not { } description) return null;
        Augmentation augmentation = description.Augmentation;
        if (parse.GetValue(_mean) is { Length: > 0 } mean) augmentation = augmentation with { Mean = [.. mean] };
        if (parse.GetValue(_std) is { Length: > 0 } std) augmentation = augmentation with { Deviation = [.. std] };
        description = description with { Augmentation = augmentation.Fixed, Limit = null, Validation = 0, OwnValidation = false };
        foreach (string model in models) description = ModelText.For(description, model);
        return description;
    }
}

using System.Collections.Immutable;

namespace Amalgam.Zoo.Runs;

/// <summary>What a transfer run leaves behind: a folder as of <c>amalgam train</c> for each network, by its name, and beside them these files.</summary>
public static class TransferFolder
{
    /// <summary>The description, with every key and every matrix named.</summary>
    public const string Description = "transfer.yaml";

    /// <summary>A line of JSON for each transfer and epoch of its target.</summary>
    public const string Transfers = "transfers.jsonl";

    /// <summary>The page for people.</summary>
    public const string Report = "report.html";

    /// <summary>The folder of the networks that are trained by themselves, each in a folder of its name.</summary>
    public const string Solo = TransferReader.Solo;

    /// <summary>Every file that a transfer run may leave outside the networks' folders.</summary>
    public static readonly ImmutableArray<string> All = [Description, Transfers, RunFolder.Result, Report, RunFolder.State];

    /// <summary>Names of the trained networks of the run that a folder is of; none where it is of none.</summary>
    internal static ImmutableArray<string> ModelsIn(string folder)
    {
        try
        {
            string path = Path.Combine(folder, Description);
            return File.Exists(path) ? [.. TransferDescription.Read(path).Models.Where(model => !model.Frozen).Select(model => model.Name)] : [];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }
}

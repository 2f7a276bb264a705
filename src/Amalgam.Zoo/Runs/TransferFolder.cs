using System.Collections.Immutable;
using System.Text.Json;

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

    /// <summary>Refuses the folder of a transfer run where a network is expected.</summary>
    /// <exception cref="InvalidDataException">It is one.</exception>
    public static void CheckIsNone(string path)
    {
        string[] seeds = File.Exists(Path.Combine(path, RunFolder.Result)) ? [.. Directory.GetDirectories(path, "seed-*").Where(seed => File.Exists(Path.Combine(seed, Description))).Order(StringComparer.Ordinal)] : [];
        if (seeds.Length > 0 && !File.Exists(Path.Combine(path, RunFolder.Description))) throw new InvalidDataException($"{path} is the folder of a transfer with several seeds, not of a network; its runs are {string.Join(", ", seeds)}");
        if (!File.Exists(Path.Combine(path, Description)) || File.Exists(Path.Combine(path, RunFolder.Description))) return;
        string[] networks = [.. ModelsIn(path).Select(name => Path.Combine(path, name))];
        throw new InvalidDataException($"{path} is the folder of a transfer{(networks.Length == 0 ? ", not of a network" : $"; its networks are {string.Join(", ", networks)}")}");
    }

    /// <summary>The first place where the description that a run in a folder began with is not another one: <c>there 'lr: 0.1', here 'lr: 0.2'</c>; null where they are the same.</summary>
    internal static string? Difference(string folder, TransferDescription run)
    {
        string path = Path.Combine(folder, Description);
        if (!File.Exists(path)) return null;
        return RunDifference.Between(ReadableYaml.Of(File.ReadAllText(path)), ReadableYaml.Of(TransferYaml.Write(run, withOutput: false)));
    }

    /// <summary>What tells the run that ended in a folder from others; null where none has ended.</summary>
    internal static string? IdentityOfEnded(string folder)
    {
        string path = Path.Combine(folder, RunFolder.Result);
        if (!File.Exists(path) || !File.Exists(Path.Combine(folder, Description)) || File.Exists(Path.Combine(folder, RunFolder.State))) return null;
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(TransferJson.Identity, out JsonElement run) && run.ValueKind == JsonValueKind.String ? run.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

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

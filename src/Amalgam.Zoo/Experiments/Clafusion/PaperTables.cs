using System.Collections.Immutable;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>What the paper has in the place of a row, means over its five seeds, and which differences its claims are about.</summary>
internal static class PaperTables
{
    private const string One = ResidualNetworks.Two, Three = WeightCopies.Table, Four = TeacherAndStudent.Table, Five = TeacherAndStudent.Distillations, Ten = MlpMappings.Compared;

    private static readonly Dictionary<(string Table, string Method), string> Cells = new()
    {
        [(One, "A")] = "93.31",
        [(One, "B")] = "92.92",
        [(One, "ensemble")] = "93.81",
        [(One, "fused")] = "65.72",
        [(One, "A, fine-tuned")] = "93.52",
        [(One, "B, fine-tuned")] = "93.29",
        [(One, "fused, fine-tuned")] = "93.67",
        [(One, "B deepened, fine-tuned")] = "93.24",
        [(One, "random ResNet-34, fine-tuned")] = "92.00",
        [(ResidualNetworks.Four, "ensemble")] = "94.17",
        [(ResidualNetworks.Four, "fused")] = "31.76",
        [(ResidualNetworks.Four, "fused, fine-tuned")] = "93.76",
        [(ResidualNetworks.Six, "ensemble")] = "94.22",
        [(ResidualNetworks.Six, "fused")] = "23.75",
        [(ResidualNetworks.Six, "fused, fine-tuned")] = "93.78",
        [(Four, "A")] = "92.65",
        [(Four, "B")] = "89.72",
        [(Four, "ensemble")] = "92.68",
        [(Four, "fused")] = "82.03",
        [(Four, "A, fine-tuned")] = "92.63",
        [(Four, "B, fine-tuned")] = "89.77",
        [(Four, "fused, fine-tuned")] = "90.64",
        [(Four, "B deepened, fine-tuned")] = "90.52",
        [(ResidualNetworks.Mappings, "naive")] = "62.43",
        [(ResidualNetworks.Mappings, "naive, fine-tuned")] = "93.59",
        [(ResidualNetworks.Mappings, "random")] = "64.04",
        [(ResidualNetworks.Mappings, "random, fine-tuned")] = "93.61",
        [(ResidualNetworks.Mappings, "CLA without the last layer's constraint")] = "65.58",
        [(ResidualNetworks.Mappings, "CLA without the last layer's constraint, fine-tuned")] = "93.60",
        [(ResidualNetworks.Mappings, "CLA")] = "65.72",
        [(ResidualNetworks.Mappings, "CLA, fine-tuned")] = "93.67",
        [(TeacherAndStudent.Mappings, "[1, 3]")] = "82.03",
        [(TeacherAndStudent.Mappings, "[1, 3], fine-tuned")] = "90.64",
        [(TeacherAndStudent.Mappings, "[1, 4]")] = "79.37",
        [(TeacherAndStudent.Mappings, "[1, 4], fine-tuned")] = "90.37",
        [(TeacherAndStudent.Mappings, "[2, 3]")] = "46.64",
        [(TeacherAndStudent.Mappings, "[2, 3], fine-tuned")] = "89.32",
        [(TeacherAndStudent.Mappings, "[2, 4]")] = "49.63",
        [(TeacherAndStudent.Mappings, "[2, 4], fine-tuned")] = "89.03",
        [(Five, "random B")] = "89.10",
        [(Five, "B")] = "90.98",
        [(Five, "fused")] = "91.43",
        [(Five, "B deepened")] = "91.24",
        [(Five, "random fused")] = "88.84",
        [(Three, WeightCopies.Copied)] = "10.79",
        [(Three, WeightCopies.Averaged)] = "37.49",
        [(Three, WeightCopies.Fused)] = "18.32",
        [(Three, WeightCopies.ByLayers)] = "61.29",
        [(Three, $"{WeightCopies.Copied}, fine-tuned")] = "93.10",
        [(Three, $"{WeightCopies.Averaged}, fine-tuned")] = "93.38",
        [(Three, $"{WeightCopies.Fused}, fine-tuned")] = "93.66",
        [(Three, $"{WeightCopies.ByLayers}, fine-tuned")] = "93.86",
        [(Ten, "A")] = "96.95",
        [(Ten, "B")] = "97.75",
    };

    /// <summary>Table 10: layers added, merged by the sign of the sum, merged by the average of signs.</summary>
    private static readonly (string Map, string[] Accuracies)[] Mappings =
    [
        ("[1, 2, 3]", ["92.33", "93.90", "91.84"]), ("[1, 2, 4]", ["92.48", "93.41", "91.88"]), ("[1, 2, 5]", ["92.49", "94.00", "92.37"]), ("[1, 3, 4]", ["90.69", "92.21", "89.17"]),
        ("[1, 3, 5]", ["90.88", "93.04", "89.57"]), ("[1, 4, 5]", ["90.98", "93.06", "90.26"]), ("[2, 3, 4]", ["82.21", "51.26", "55.62"]), ("[2, 3, 5]", ["83.14", "56.56", "59.46"]),
        ("[2, 4, 5]", ["83.00", "54.16", "58.62"]), ("[3, 4, 5]", ["79.49", "56.31", "55.90"]),
    ];

    /// <summary>Table 13, by the generalist's weight from 0 to 1.</summary>
    private static readonly Dictionary<string, string> Skills = new()
    {
        ["add"] = "90.76 91.31 90.97 81.92 76.50 76.23 79.50 83.24 85.69 87.05 87.58",
        ["merge (sum)"] = "90.76 91.57 91.43 86.35 75.10 71.47 71.19 73.64 76.96 79.86 82.10",
        ["merge (average)"] = "90.76 91.65 91.60 87.99 76.98 72.59 72.74 76.48 80.15 83.76 86.05",
    };

    /// <summary>Which method the paper compares with which.</summary>
    public static readonly ImmutableArray<(string Method, string From)> Claims =
    [
        ("fused, fine-tuned", "A, fine-tuned"), ("fused, fine-tuned", "B, fine-tuned"), ("fused, fine-tuned", "B deepened, fine-tuned"), ("fused, fine-tuned", "random ResNet-34, fine-tuned"), ("fused, fine-tuned", "ensemble"),
        (WeightCopies.ByLayers, WeightCopies.Fused), (WeightCopies.ByLayers, WeightCopies.Averaged), ($"{WeightCopies.ByLayers}, fine-tuned", $"{WeightCopies.Fused}, fine-tuned"),
        ($"{WeightCopies.ByLayers}, fine-tuned", $"{WeightCopies.Averaged}, fine-tuned"), ($"{WeightCopies.ByLayers}, fine-tuned", $"{WeightCopies.Copied}, fine-tuned"),
        ("A, fine-tuned", "A"), ("fused", "B"), ("fused", "B deepened"), ("fused", "random fused"), ("CLA", "naive"), ("CLA", "random"), ("CLA, fine-tuned", "naive, fine-tuned"), ("CLA, fine-tuned", "random, fine-tuned"),
        ("[1, 3]", "[1, 4]"), ("[1, 3], fine-tuned", "[1, 4], fine-tuned"),
        .. Mappings.Where(m => m.Map != "[1, 2, 5]").SelectMany(m => Balances.Select(balance => ($"[1, 2, 5], {balance}", $"{m.Map}, {balance}"))),
        ("[1, 2, 5], merge (sum)", "[1, 2, 5], add"), ("[1, 2, 5], merge (sum)", "[1, 2, 5], merge (average)"),
    ];

    private static IEnumerable<string> Balances => ["add", "merge (sum)", "merge (average)"];

    /// <summary>Whether a table of the reproduction is one of the paper's.</summary>
    public static bool IsOfPaper(string table) => table.All(char.IsAsciiDigit);

    /// <summary>What the paper has; null for nothing.</summary>
    public static string? Of(string table, string method)
    {
        if (table == MlpMappings.Chosen) return method.EndsWith("; both", StringComparison.Ordinal) || method.EndsWith("; last layer", StringComparison.Ordinal) ? "[1, 2, 5]" : "[1, 2, 3]";
        if (table == SkillTransfer.Table) return Skills.GetValueOrDefault(method);
        if (table == Ten && Mappings.FirstOrDefault(m => method.StartsWith($"{m.Map}, ", StringComparison.Ordinal)) is { Map: { } map } row) return row.Accuracies[Balances.ToList().IndexOf(method[(map.Length + 2)..])];
        return Cells.GetValueOrDefault((table, method));
    }
}

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>What the paper has in the place of a row: top-1 accuracy on CIFAR-100 of its MobileNetV2 and ResNet-50, exact match on SQuAD 2 in the place of SST-2, errors on IMDb in the place of sst2-order, recall of MS COCO's captions.</summary>
internal static class PaperTables
{
    private const string M = ImageTables.Mobile, R = ImageTables.Residual, Alone = TableEntry.Alone;

    private static readonly Dictionary<(string Table, string Section, string Method), string> Cells = new()
    {
        [("1", M, Alone)] = "63.87",
        [("1", M, "KD")] = "64.32",
        [("1", M, "RKD")] = "65.48",
        [("1", M, "DKD")] = "65.23",
        [("1", M, "NKD")] = "65.09",
        [("1", M, "MergeNet R -> M")] = "66.23",
        [("1", M, ImageTables.Both)] = "66.51",
        [("1", R, Alone)] = "68.11",
        [("1", R, "KD")] = "68.36",
        [("1", R, "RKD")] = "68.60",
        [("1", R, "DKD")] = "69.03",
        [("1", R, "NKD")] = "69.27",
        [("1", R, ImageTables.Both)] = "69.84",
        [("5", M, Alone)] = "63.87",
        [("5", M, "Tf-KD")] = "65.43",
        [("5", M, "USKD")] = "65.66",
        [("5", M, "classifier -> IRB 4")] = "63.51",
        [("5", M, "classifier -> IRB 8")] = "64.02",
        [("5", M, "classifier -> IRB 12")] = "64.42",
        [("5", M, "classifier -> IRB 16")] = "66.48",
        [("7", M, Alone)] = "63.87",
        [("7", M, "MLP adapter")] = "64.69",
        [("7", M, "individual attention")] = "65.76",
        [("7", M, "average attention")] = "66.02",
        [("7", M, "full")] = "66.51",
        [("7", R, Alone)] = "68.11",
        [("7", R, "MLP adapter")] = "68.53",
        [("7", R, "individual attention")] = "69.38",
        [("7", R, "average attention")] = "69.66",
        [("7", R, "full")] = "69.84",
        [("2", TowerTables.Towers, Alone)] = "TR@10 41.48, IR@10 37.64",
        [("2", TowerTables.Towers, TowerTables.ToText)] = "44.72, 39.00",
        [("2", TowerTables.Towers, TowerTables.ToImages)] = "44.58, 38.93",
        [("2", TowerTables.Towers, TowerTables.Both)] = "44.78, 39.26",
        [("3", TextTables.Sentiment, Alone)] = "70.17",
        [("3", TextTables.Sentiment, "sst2-order -> SST-2")] = "71.89",
        [("3", TextTables.Order, Alone)] = "error 8.02",
        [("3", TextTables.Order, "SST-2 -> sst2-order")] = "error 7.50",
        [("4", TextTables.Sentiment, Alone)] = "70.17",
        [("4", TextTables.Sentiment, "images -> text")] = "71.49",
        [("4", M, Alone)] = "63.87",
        [("4", M, "text -> images")] = "65.96",
        [("6", TextTables.Shallow, "layer 2 -> layer 1")] = "57.69",
        [("6", TextTables.Shallow, "layer 4 -> layer 1")] = "54.77",
        [("6", TextTables.Shallow, "layer 2 -> layer 2")] = "64.89",
        [("6", TextTables.Shallow, "layer 4 -> layer 2")] = "66.98",
        [("cycle", M, "T_cycle 1")] = "60.09",
        [("cycle", M, "T_cycle 2")] = "65.61",
    };

    /// <summary>The rows of which it has something.</summary>
    public static IEnumerable<(string Table, string Section, string Method)> Rows => Cells.Keys;

    /// <summary>What the paper has; null for nothing.</summary>
    public static string? Of(string table, string section, string method) => Cells.GetValueOrDefault((table, section, method));
}

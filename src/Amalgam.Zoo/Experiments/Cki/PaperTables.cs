using System.Collections.Immutable;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A row of the paper.</summary>
/// <param name="Method">The method.</param>
/// <param name="Figures">NDCG@5, HR@5, NDCG@10, HR@10; of table 2 accuracy, AUC, recall, F1. NaN where the paper has none that can be read.</param>
public sealed record PaperRow(string Method, params ImmutableArray<double> Figures);

/// <summary>The numbers of CKI's paper (AAAI 2025), tables 1 to 4; recommenders are DIN.</summary>
public static class PaperTables
{
    private const string A = "model A", B = "model B", Pruning = "pruning", Ensemble = "ensemble", Averaging = "averaging", Cki = "CKI";

    private static readonly Dictionary<(int Table, string Dataset), ImmutableArray<PaperRow>> Rows = new()
    {
        [(1, "beauty")] = Of([.1137, .1878, .1561, .3203], [.1136, .1888, .1538, .3143], [.1250, .2129, .1833, .3936], [.1193, .2038, .1679, .3534], [.1081, .1958, .1682, .3815], [.1409, .2420, .1905, .3956]),
        [(1, "douban-music")] = Of([.3779, .5036, .4179, .6273], [.3763, .5034, .4173, .6301], [.3480, .4727, .3890, .5998], [.3658, .4882, .4078, .6181], [.3748, .5030, .4149, .6269], [.3805, .5064, .4212, .6326]),
        [(1, "douban-book")] = Of([.4027, .5260, .4424, .6490], [.4011, .5255, .4428, .6544], [.3756, .4990, .4190, .6337], [.4089, .5322, .4503, .6600], [.4015, .5264, .4428, .6538], [.4095, .5344, .4505, .6612]),
        [(1, "ml-1m")] = Of([.4384, .5897, .4818, .7208], [.4365, .5901, .4771, .7158], [.3484, .5014, .3975, .6534], [.4464, .5982, .4877, .7257], [.4069, .5674, .4497, .6994], [.4480, .6001, .4875, .7219]),
        [(2, "sst2")] = Of([.8429, .8432, .8429, .8429], [.8440, .8444, .8440, .8440], [.8177, .8111, .8131, .8106], [.8532, .8530, .8532, .8532], [.8406, .8406, .8406, .8406], [.8544, .9161, .8853, .8853]),
        [(2, "rte")] = Of([.5884, .5959, .5884, .5815], [.5848, .5854, .5848, .5851], [.5271, .5495, .5523, .5513], [.6065, .6091, .6065, .6061], [.5740, .5837, .5740, .5610], [.6245, .5628, .6679, .6665]),
        [(3, "beauty")] = Of([.1137, .1878, .1561, .3203], [.2046, double.NaN, .2354, .3926], [.1370, .2229, .1862, .3775], [.1901, .2751, .2181, .3604], [.1613, .2620, .2064, .4016], [.2296, .3183, .2573, .4046]),
        [(3, "douban-music")] = Of([.3779, .5036, .4179, .6273], [.3760, double.NaN, .4173, double.NaN], [.3150, .4464, .3614, .5901], [.3728, .5029, .4136, .6292], [.3747, .5008, .4159, .6278], [.3929, .5201, .4332, .6444]),
        [(3, "douban-book")] = Of([.4027, .5260, .4424, .6490], [.3959, .5201, .4374, .6484], [.3463, .4739, .3904, .6101], [.4078, .5315, .4472, .6536], [.4080, .5313, .4487, .6571], [.4160, .5436, .4574, .6716]),
        [(3, "ml-1m")] = Of([.4384, .5897, .4818, .7228], [.4556, .6205, .4964, .7463], [.3335, .4963, .3857, .6580], [.4665, .6215, .5038, .7361], [.4680, .6273, .5072, .7480], [.4811, .6315, .5211, .7535]),
        [(4, "douban-music")] = [new("base", .3779, .5036, .4179, .6273), new(Cki, .3823, .5071, .4221, .6302), new($"{Cki} + one epoch", .3831, .5091, .4223, .6304)],
    };

    /// <summary>The rows of a table for a data set; empty where the paper has none.</summary>
    public static ImmutableArray<PaperRow> Find(int table, string dataset) => Rows.GetValueOrDefault((table, dataset), []);

    private static ImmutableArray<PaperRow> Of(params ReadOnlySpan<double[]> figures)
    {
        string[] names = [A, B, Pruning, Ensemble, Averaging, Cki];
        var rows = ImmutableArray.CreateBuilder<PaperRow>();
        for (int i = 0; i < names.Length; i++) rows.Add(new(names[i], [.. figures[i]]));
        return rows.ToImmutable();
    }
}

using System.Text;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>Writes transfer descriptions with every key that has an influence, so that reading one again gives the same run whatever the defaults become.</summary>
public static class TransferYaml
{
    /// <summary>The description as YAML.</summary>
    /// <param name="run">The run.</param>
    /// <param name="withOutput">Whether the output folder is part of it.</param>
    public static string Write(TransferDescription run, bool withOutput = true)
    {
        StringBuilder text = new("models:\n");
        foreach (TransferModel model in run.Models) Append(text, model);
        if (run.Transfers.IsEmpty) text.Append($"adapter: {Adapter(run.Adapter)}\ncycle: {run.Cycle}\n");
        else text.Append("transfers:\n");
        foreach (TransferPair pair in run.Transfers) Append(text, pair);
        text.Append($"solo: {RunYaml.Flag(run.Solo)}\nseed: {run.Seed}\n");
        if (withOutput && run.Output is not null) text.Append($"output: {RunYaml.Quote(run.Output)}\n");
        return text.ToString();
    }

    private static void Append(StringBuilder text, TransferModel model)
    {
        text.Append($"  {RunYaml.Quote(model.Name)}:\n");
        if (model.Run is null)
        {
            text.Append($"    model: {RunYaml.Model(model.Model)}\n    frozen: true\n    seed: {model.Seed}\n");
            return;
        }

        foreach (string line in RunYaml.Write(model.Run with { Model = model.Model }, withOutput: false).Split('\n', StringSplitOptions.RemoveEmptyEntries)) text.Append($"    {line}\n");
        text.Append($"    steps: {model.Steps}\n");
    }

    private static void Append(StringBuilder text, TransferPair pair)
    {
        text.Append($"  - from: {(pair.From is [var only] ? End(only) : $"[{string.Join(", ", pair.From.Select(End))}]")}\n    to: {End(pair.To)}\n    cycle: {pair.Cycle}\n");
        if (pair.BackCycle is { } back) text.Append($"    both: true\n    back_cycle: {back}\n");
        text.Append($"    resets_momentum: {RunYaml.Flag(pair.ResetsMomentum)}\n    adapter: {Adapter(pair.Adapter)}\n");
    }

    private static string End(TransferEnd end) => RunYaml.Map([
        ("model", RunYaml.Quote(end.Model)),
        ("matrix", RunYaml.Quote(end.Matrix)),
        ("rows", end.Rows is var (from, to) ? $"[{from}, {to}]" : null),
        ("layout", end.Matrix is null ? null : TransferWords.Of(TransferWords.Layouts, end.Layout)),
        ("rank", end.Rank == TransferEnd.UsualRank ? TransferWords.Usual : RunYaml.Number(end.Rank)),
        ("start", end.Rank == 0 ? null : TransferWords.Of(TransferWords.Starts, end.Start)),
        ("alpha", end.Alpha == 0 ? null : RunYaml.Number(end.Alpha)),
    ]);

    private static string Adapter(AdapterDescription adapter) => RunYaml.Map([
        ("name", adapter.Adapter is MlpAdapter ? AdapterReader.Mlp : AdapterReader.LowRank),
        .. adapter.Adapter switch
        {
            LowRankAdapter attention => OfLowRank(attention, adapter.WritesDropout),
            MlpAdapter mlp => [("width", RunYaml.Number(mlp.Width))],
            _ => [],
        },
        ("rule", TransferWords.Of(TransferWords.Rules, adapter.Rule)),
        ("damping", adapter.Rule == AdapterRule.ChainRule ? null : RunYaml.Number(adapter.Damping ?? adapter.Adapter.UsualDamping)),
        ("trust_region", RunYaml.Number(adapter.TrustRegion ?? adapter.Adapter.UsualTrustRegion)),
        ("optimizer", RunYaml.Map([.. RunYaml.Rule(adapter.Optimizer), ("clip_norm", adapter.ClipNorm is { } clip ? RunYaml.Number(clip) : TransferWords.None)])),
        ("lr", RunYaml.Number(adapter.Rate)),
        ("schedule", RunYaml.Schedule(adapter.Schedule)),
    ]);

    private static (string, string?)[] OfLowRank(LowRankAdapter adapter, bool writesDropout) => [
        ("layers", RunYaml.Number(adapter.Layers)),
        ("heads", RunYaml.Number(adapter.Heads)),
        ("unfoldings", TransferWords.Of(TransferWords.Unfoldings, adapter.Unfoldings)),
        ("mixing", TransferWords.Of(TransferWords.Mixings, adapter.Mixing)),
        ("form", TransferWords.Of(TransferWords.Forms, adapter.Form)),
        ("attention_dropout", RunYaml.Number(adapter.AttentionDropout)),
        ("dropout", RunYaml.Number(adapter.Dropout)),
        ("writes_dropout", RunYaml.Flag(writesDropout)),
        ("source_evolves", RunYaml.Flag(adapter.SourceEvolves)),
    ];
}

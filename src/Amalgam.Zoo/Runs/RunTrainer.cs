using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Zoo.Runs;

/// <summary>Makes the trainer of a network as a run description says.</summary>
internal static class RunTrainer
{
    private const int AnyBatch = 2;

    /// <param name="run">How to train.</param>
    /// <param name="network">The network.</param>
    /// <param name="loss">The loss, of <see cref="LossOf"/>.</param>
    /// <param name="data">The data that the run describes.</param>
    /// <param name="state">Where the state is kept; null for nowhere.</param>
    /// <param name="identity">What else tells this run from others, for its state.</param>
    /// <param name="names">Which parameters the description's patterns mean; null for those of the network by itself.</param>
    public static Trainer Create(RunDescription run, Graph network, Loss loss, RunData data, string? state, string identity = "", NamedParameters? names = null)
    {
        var (taught, options) = Prepare(run, network, loss, data, state, identity, names);
        Trainer Of(Loss by) => new(network, by, data.Train!, options, data.Validation);
        try
        {
            return Of(taught);
        }
        catch (GraphException) when (run.Distill is not null && Trains())
        {
            return Located.At(run.Distill.Place, () => Of(taught));
        }

        // What goes wrong with the labels alone is none of the teachers' fault.
        bool Trains()
        {
            try
            {
                return Of(loss) is not null;
            }
            catch (GraphException)
            {
                return false;
            }
        }
    }

    private static ParentModel OpenTeacher(string path, RunDescription run, RunData data)
    {
        try
        {
            ParentModel teacher = ParentModel.Open(path, null, AnyBatch, data.Train);
            NetworkFit.CheckBatch($"the teacher {path}", teacher.Graph, run, data, isMeasured: false);
            return teacher;
        }
        catch (InvalidDataException e) when (e.Message.IndexOf(ModelLoader.NameIt, StringComparison.Ordinal) is > 0 and var at)
        {
            throw new InvalidDataException($"{e.Message[..at]}a teacher is a network that says it: the folder of a run, an ONNX file, a folder of Hugging Face or a checkpoint that amalgam train wrote", e);
        }
    }

    /// <summary>The loss, with the teachers that the description names, and the options of such a trainer.</summary>
    public static (Loss Loss, TrainingOptions Options) Prepare(RunDescription run, Graph network, Loss loss, RunData data, string? state, string identity = "", NamedParameters? names = null)
    {
        NetworkFit.Check(run, network, loss, data);
        if (run.Distill is { } distill)
        {
            ParentModel[] teachers = [.. distill.Teachers.Select((path, i) => distill.Locate(i, () => OpenTeacher(path, run, data)))];
            Loss labels = loss;
            loss = Located.At(distill.Place, () => WithTeachers(distill, teachers, labels));
            if (teachers.Length > 0) identity += $"# taught by {string.Join(' ', teachers.Select(teacher => teacher.Digest))}\n";
        }

        return (loss, new()
        {
            Rule = run.Optimizer,
            Rate = run.Rate,
            Schedule = run.Schedule,
            Epochs = run.Epochs,
            Batch = run.Batch,
            DropLast = run.DropLast,
            Seed = run.Seed,
            ClipNorm = run.ClipNorm,
            Settings = Settings(run, names ?? new(network)),
            StatePath = state,
            Description = RunYaml.Write(Alone(run), withOutput: false) + Signature(data.Train!) + identity,
            Merit = ItemRanking.Merit(data.Validation),
            SetMerit = PairRetrieval.Merit(data.Validation),
        });
    }

    /// <summary>The run without what else is trained to compare with, which makes no other run of it.</summary>
    internal static RunDescription Alone(RunDescription run) => run with { Distill = run.Distill is { } distill ? distill with { Solo = false } : null };

    private static Distillation WithTeachers(DistillDescription distill, IEnumerable<ParentModel> teachers, Loss labels) => labels is CrossEntropy entropy
        ? distill.Method with { Teachers = [.. teachers.Select(teacher => new FrozenNetwork(teacher.Graph))], Target = entropy.Target, LabelSmoothing = entropy.LabelSmoothing }
        : throw new InvalidDataException("distill: goes with the loss cross_entropy: teacher and student give a score for each class");

    /// <summary>The loss that a run describes.</summary>
    public static Loss LossOf(LossDescription loss, DataDescription data)
    {
        string truth = loss.Target ?? "target", label = loss.Target ?? "label";
        return loss.Name switch
        {
            "cosine" => new CosineCrossEntropy(loss.ReadVectors(data)!, loss.Scale, loss.LabelSmoothing, label),
            "bce" => new BinaryCrossEntropy(label),
            "mse" => new SquaredError(truth),
            "contrastive" => new Contrastive(loss.Target ?? Contrastive.UsualTarget),
            "entropy" => new PredictionEntropy(),
            _ => new CrossEntropy(loss.LabelSmoothing, label),
        };
    }

    /// <summary>What tells the samples of a run from others: a run is resumed with the same ones only.</summary>
    public static string Signature(Dataset data)
    {
        byte[] labels = SHA256.HashData(MemoryMarshal.AsBytes(data.Labels));
        return $"# {data.Count} samples, {string.Join(", ", data.Fields.Select(f => $"{f.Name} {f.Shape}"))}, labels {Convert.ToHexStringLower(labels)[..16]}\n";
    }

    private static Func<Node, ParameterSetting> Settings(RunDescription run, NamedParameters names)
    {
        NamePattern[] exempt = names.Parse("optimizer", run.NoDecay), matches = names.Parse("optimizer", run.Groups.Select(g => g.Match));
        var groups = matches.Zip(run.Groups).ToArray();
        return node =>
        {
            RateGroup? group = groups.FirstOrDefault(g => names.Match(g.First, node.Name!)).Second;
            bool decays = (run.DecayVectors || node.Shape.Rank > 1) && !exempt.Any(p => names.Match(p, node.Name!));
            return new(group?.RateScale ?? 1, decays ? group?.WeightDecay : 0);
        };
    }
}

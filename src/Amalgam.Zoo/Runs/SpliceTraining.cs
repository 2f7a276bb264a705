using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Runs;

/// <summary>Several models as one network in training, by a recipe's method and a run description.</summary>
internal sealed class SpliceTraining
{
    /// <param name="recipe">Method and parameters.</param>
    /// <param name="models">The models, in the recipe's order.</param>
    /// <param name="origin">The model that they come from; null where none is named.</param>
    /// <param name="run">How to train; of its model <c>freeze</c> counts.</param>
    /// <param name="data">What it learns from.</param>
    /// <param name="state">Where the state is kept; null for nowhere.</param>
    /// <exception cref="GraphException">The models do not belong together, or the data does not fit them.</exception>
    public SpliceTraining(Recipe recipe, IReadOnlyList<ParentModel> models, ParentModel? origin, RunDescription run, RunData data, string? state)
    {
        Rule = SpliceRule.Of(TrainingRules.MethodOf(recipe));
        Graph[] graphs = [.. models.Select(m => m.Graph)];
        run = run with { Train = run.Train ?? TrainScope.Splice };
        IntegrationOptions options = SpliceRule.Options(recipe, Rule, graphs, origin?.Graph, run);
        Integration = new(graphs, Rule, options);
        Host = models[Integration.Host];
        Run = run with { Model = Host.Model with { Freeze = run.Model.Freeze } };
        Learned = [.. Integration.Graph.Parameters.Keys.Where(name => Host.Graph.Find(name) is null)];
        NamedParameters names = new(Integration.Graph, [.. Host.Graph.Parameters.Keys, .. Integration.Spliced], Learned);
        names.Freeze(run.Model.Freeze);
        Start = Surgery.Copy(Integration.Bake());
        Loss = RunTrainer.LossOf(run.Loss, run.Data);
        string identity = $"# {SpliceRule.Text(recipe, Rule, options)} {string.Join(' ', Integration.Spliced)} of {string.Join(' ', models.Append(origin).Select(m => m?.Digest))}\n";
        Trainer = RunTrainer.Create(Run, Integration.Graph, Loss, data, state, identity, names);
    }

    /// <summary>The model whose network trains: the first, or the one that makes weights for each sample.</summary>
    public ParentModel Host { get; }

    /// <summary>The description, with the host as its model.</summary>
    public RunDescription Run { get; }

    /// <summary>Names of the parameters that are learned beside the host's own.</summary>
    public ImmutableArray<string> Learned { get; }

    /// <summary>How weights follow from the models' weights.</summary>
    public WeightRule Rule { get; }

    /// <summary>The network that is trained.</summary>
    public Integration Integration { get; }

    /// <summary>The network before the first step.</summary>
    public Graph Start { get; }

    /// <summary>What is minimised.</summary>
    public Loss Loss { get; }

    /// <summary>Trains it.</summary>
    public Trainer Trainer { get; }

    /// <summary>What comes of the training: after the best epoch where there are validation samples, else after the last.</summary>
    public Graph Result() => Trainer.Best is null ? Last() : WithBest(Last);

    /// <summary>The network as it is now.</summary>
    public Graph Last() => Surgery.Copy(Integration.Bake());

    /// <summary>What becomes of each weight in the result. Of weights that are made for each sample it is told of the first samples of some data.</summary>
    public ImmutableArray<SplicedWeight> Inspect(RunData data)
    {
        ImmutableArray<SplicedWeight> Now() => Integration.Inspect(Integration.IsDynamic ? executor => Fill(executor, data.Validation ?? data.Train!) : null);
        return Trainer.Best is null ? Now() : WithBest(Now);
    }

    /// <summary>Does something with the network as it was after the best epoch.</summary>
    public T WithBest<T>(Func<T> what)
    {
        Dictionary<string, Tensor> kept = Integration.Graph.Parameters.ToDictionary(p => p.Key, p => p.Value.Value!.Copy());
        Set(Trainer.Best!);
        T made = what();
        Set(kept);
        return made;
    }

    /// <summary>The host alone, in training by the same description.</summary>
    /// <param name="data">What it learns from.</param>
    /// <param name="state">Where its state is kept.</param>
    public (Graph Network, Trainer Trainer) Alone(RunData data, string state)
    {
        Graph network = Surgery.Copy(Host.Graph);
        NamedParameters names = new(network, [.. Learned, .. Integration.Spliced], Learned);
        names.Freeze(Run.Model.Freeze);
        return (network, RunTrainer.Create(Run, network, Loss, data, state, $"# {Host.Digest} alone\n", names));
    }

    /// <summary>Fills the network's inputs with the first samples. Of a group of items it takes as many as the network was built for.</summary>
    private void Fill(Executor executor, Dataset data)
    {
        foreach (var (name, node) in Integration.Graph.Inputs)
        {
            int field = data.IndexOf(name), samples = Math.Min(node.Shape.Size(0), data.Count), row = (int)node.Shape.Count / node.Shape.Size(0);
            float[] values = new float[data.Fields[field].Shape.Count];
            for (int i = 0; i < samples; i++)
            {
                data.Read(field, i, default, values);
                values.AsSpan(0, Math.Min(row, values.Length)).CopyTo(executor[node].Span[(i * row)..]);
            }
        }
    }

    private void Set(IReadOnlyDictionary<string, Tensor> weights)
    {
        foreach (var (name, node) in Integration.Graph.Parameters) weights[name].Span.CopyTo(node.Value!.Span);
    }
}

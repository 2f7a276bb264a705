using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using Amalgam.Training;

namespace Amalgam.Zoo.Runs;

/// <summary>Does what a recipe's section <c>train</c> says: what merging itself cannot, as it knows of no networks and no data.</summary>
public sealed class RecipeTraining
{
    private const int AnyBatch = 2;

    private readonly MergePlan _plan;
    private readonly SpliceTraining _training;
    private readonly RunData _data;

    /// <summary>Opens models and data.</summary>
    /// <param name="plan">A plan whose recipe has a section <c>train</c>.</param>
    /// <exception cref="InvalidDataException">The section is not right, a file is not what it claims to be, or a model does not say what it is.</exception>
    /// <exception cref="GraphException">The models do not belong together, or the data does not fit them.</exception>
    public RecipeTraining(MergePlan plan)
    {
        _plan = plan;
        RunDescription run = Read(plan.Recipe);
        ModelDescription? architecture = run.Model.Name == "" ? null : run.Model;
        ParentModel[] models = [.. TrainingRules.SourcesOf(plan.Recipe).Select(m => Open(plan, m.Model, architecture))];
        _data = RunData.Open(models.Aggregate(run.Data, (data, model) => ModelText.For(data, model.Path)));
        SpliceRule.CheckPatterns(plan.Recipe, [.. plan.Tensors.Select(t => t.Output.Name), .. models.SelectMany(m => m.Graph.Parameters.Keys)]);
        _training = new(plan.Recipe, models, plan.Recipe.BaseModel is { } origin ? Open(plan, origin, architecture) : null, run, _data, null);
        Summary = $"learns {_training.Integration.Graph.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count):N0} numbers on {_data.Train!.Count:N0} samples of {_data.Train.Name}, "
            + $"{run.Epochs} epoch{(run.Epochs == 1 ? "" : "s")} in {_training.Trainer.Steps:N0} steps, {(_data.Validation is null ? "the last of which counts" : $"of which the best on {_data.Validation.Count:N0} validation samples counts")}; "
            + $"{_training.Integration.Spliced.Length} tensors are put together: {string.Join(", ", _training.Integration.Spliced.Take(6))}{(_training.Integration.Spliced.Length > 6 ? " ..." : "")}";
    }

    /// <summary>What is learned, in a sentence.</summary>
    public string Summary { get; }

    /// <summary>Reads a recipe's section without opening anything, so that mistakes in it show before work begins.</summary>
    /// <exception cref="InvalidDataException">The section is not right.</exception>
    public static void Check(Recipe recipe)
    {
        if (recipe.Train is not null) Read(recipe);
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="epochDone">Called after every epoch.</param>
    /// <param name="cancel">Stops at a step.</param>
    /// <returns>The values of all tensors that are learned, and of others that have changed.</returns>
    /// <exception cref="TrainingException">The loss is not a finite number any more.</exception>
    public IReadOnlyDictionary<string, Tensor> Learn(IProgress<TrainingProgress>? progress = null, Action<EpochRecord>? epochDone = null, CancellationToken cancel = default)
    {
        if (_training.Integration.IsDynamic) throw new MergeException($"a model of this recipe makes weights for each sample, which no checkpoint can hold; amalgam splice writes the network");
        _training.Trainer.Run(progress, epochDone, cancel);
        Graph result = _training.Result();
        Dictionary<string, Tensor> values = new(StringComparer.Ordinal);
        foreach (PlannedTensor tensor in _plan.Tensors)
        {
            string name = tensor.Output.Name;
            bool isLearned = tensor.Method is Learned;
            if (result.Parameters.TryGetValue(name, out Node? node) && (isLearned || !node.Value!.Span.SequenceEqual(_training.Host.Graph.Parameters[name].Value!.Span))) values.Add(name, node.Value!);
            else if (isLearned) values.Add(name, Read(tensor.Inputs[0].Tensor));
        }

        return values;
    }

    private static RunDescription Read(Recipe recipe) => RunDescription.Read(recipe.Train!.Value, new ModelDescription(""));

    /// <summary>A tensor that no network knows of, such as one of a head that is not built, stays what it is in the first model.</summary>
    private static Tensor Read(TensorEntry entry)
    {
        Tensor value = new(entry.Shape);
        GraphWeights.Read(entry, value);
        return value;
    }

    /// <summary>The network of a planned model: of the very files that the plan reads.</summary>
    private static ParentModel Open(MergePlan plan, ModelReference reference, ModelDescription? architecture) => ParentModel.Open(plan.Models[plan.NumberOf(reference)], architecture, AnyBatch);
}
